import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { Terminal } from '#protocols/errors';
import { createLogger } from '#runtime/telemetry/logger';
import { runProgram } from '../../program.ts';
import type { ChainGenesis } from './genesis.ts';
import { startDevnetChain } from './start.ts';

/**
 * The chain stand-in as a program: `--genesis <file> --data <directory> [--port <n>] [--block-time <ms>]`.
 * Prints `{"rpc":<port>}` on standard output when it is ready.
 */
const log = createLogger({ fields: { program: 'devnet-chain' } });

await runProgram(async (signal) => {
  const { values } = parseArgs({
    options: {
      genesis: { type: 'string' },
      data: { type: 'string' },
      port: { type: 'string', default: '0' },
      'block-time': { type: 'string', default: '1000' },
    },
  });
  const node = await startDevnetChain({
    genesis: await readGenesis(required(values.genesis, 'genesis')),
    directory: required(values.data, 'data'),
    port: wholeNumber(values.port, 'port'),
    blockTimeMs: wholeNumber(values['block-time'], 'block-time'),
    log,
    signal,
  });
  process.stdout.write(`${JSON.stringify({ rpc: Number(new URL(node.rpc).port) })}\n`);
  return node;
}, log);

async function readGenesis(file: string): Promise<ChainGenesis> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as ChainGenesis;
  } catch (cause) {
    throw badArgument(`The genesis ${file} cannot be read.`, cause);
  }
}

function required(value: string | undefined, name: string): string {
  if (value === undefined) throw badArgument(`--${name} is missing.`);
  return value;
}

function wholeNumber(value: string, name: string): number {
  if (!/^[0-9]{1,9}$/.test(value)) throw badArgument(`--${name} must be a whole number, not "${value}".`);
  return Number(value);
}

function badArgument(message: string, cause?: unknown): Terminal {
  return new Terminal({
    code: 'bad-argument',
    message,
    advice: 'Use --genesis <file> --data <directory> [--port <n>] [--block-time <ms>].',
    cause,
  });
}
