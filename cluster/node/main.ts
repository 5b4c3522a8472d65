/** `sealion node`: runs one node of a storage provider. Prints its ports as one line of JSON when it is ready. */
import { Command } from 'commander';
import { createLogger } from '#runtime/telemetry/logger';
import { loadConfig } from '../config/load.ts';
import { runProgram } from '../program.ts';
import { startNode } from './node.ts';

const { config } = new Command('sealion node')
  .description('Run one node of a storage provider until SIGINT or SIGTERM.')
  .option(
    '--config <file>',
    'configuration of the node; see cluster/deploy/sealion.example.yaml',
    'sealion.yaml',
  )
  .parse()
  .opts<{ readonly config: string }>();

await runProgram(async (signal) => {
  const node = await startNode(await loadConfig(config), { signal });
  process.stdout.write(`${JSON.stringify(node.ports)}\n`);
  return node;
}, createLogger());
