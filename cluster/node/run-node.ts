import { createLogger } from '#runtime/telemetry/logger';
import { loadConfig } from '../config/load.ts';
import { runProgram } from '../program.ts';
import { startNode } from './node.ts';

/** Runs a node as the main part of its process, and prints its ports when it is ready. @param config path of a file */
export function runNode(config: string): Promise<void> {
  return runProgram(async (signal) => {
    const node = await startNode(await loadConfig(config), { signal });
    process.stdout.write(`${JSON.stringify(node.ports)}\n`);
    return node;
  }, createLogger());
}
