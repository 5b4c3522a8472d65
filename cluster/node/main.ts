/** One node of a storage provider: `--config FILE`. Writes one line of JSON, its ports, when it serves. */
import { parseArgs } from 'node:util';
import { createLogger } from '../../runtime/telemetry/logger.ts';
import { loadConfig } from '../config/load.ts';
import { runProgram } from '../program.ts';
import { startNode } from './node.ts';

const { values } = parseArgs({ options: { config: { type: 'string', default: 'sealion.yaml' } } });

await runProgram(async (signal) => {
  const node = await startNode(await loadConfig(values.config), { signal });
  process.stdout.write(`${JSON.stringify(node.ports)}\n`);
  return node;
}, createLogger());
