import { setTimeout as sleep } from 'node:timers/promises';
import { Terminal, throwIfAborted } from '#protocols/errors';
import { type Logger, silentLogger } from '#runtime/telemetry/logger';
import type { ChainGenesis } from './genesis.ts';
import { Ledger } from './ledger.ts';
import { serveRpc } from './rpc/server.ts';
import { putGenesis, State } from './state.ts';
import { STATE_FORMAT } from './state-format.ts';
import { Database } from './store.ts';

export interface DevnetChainOptions {
  /** Folder of the state (LevelDB), for one chain at a time. */
  readonly directory: string;
  /** Used when the directory is empty; afterwards only its chain id is compared. */
  readonly genesis: ChainGenesis;
  /** On 127.0.0.1; a free one by default. */
  readonly port?: number;
  /** Interval between blocks, ms. */
  readonly blockTimeMs?: number;
  readonly log?: Logger;
  /** Stops the chain. */
  readonly signal?: AbortSignal;
}

export interface DevnetChain {
  /** For example `http://127.0.0.1:26657`. */
  readonly rpc: string;
  /** Resolves when the last block is written and the port is free. May be called twice. */
  stop(): Promise<void>;
}

/**
 * Starts the stand-in for the chain in this process; it serves CometBFT JSON-RPC. It continues from the state that an
 * earlier one has left in the directory.
 * @throws Terminal `devnet-chain-storage`, `cannot-listen`, `devnet-chain-genesis`
 */
export async function startDevnetChain(options: DevnetChainOptions): Promise<DevnetChain> {
  const { directory, genesis, port = 0, blockTimeMs = 1000, log = silentLogger, signal } = options;
  throwIfAborted(signal);
  const database = await Database.open(directory);
  try {
    const ledger = new Ledger(database, log);
    await begin(ledger, database, genesis);
    const server = await serveRpc(ledger, port, log);
    const stopping = new AbortController();
    const blocks = produceBlocks(ledger, blockTimeMs, stopping.signal, log);

    let stopped: Promise<void> | undefined;
    const stop = () => {
      stopped ??= (async () => {
        signal?.removeEventListener('abort', onAbort);
        stopping.abort();
        await blocks;
        await server.close();
        await database.close();
      })();
      return stopped;
    };
    const onAbort = () => {
      stop().catch((error: unknown) => log.error({ error }, 'the chain stand-in did not stop cleanly'));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    const rpc = `http://127.0.0.1:${server.port}`;
    log.info(
      { rpc, chainId: genesis.chainId, height: ledger.committed.head.height },
      'the chain stand-in is running',
    );
    return { rpc, stop };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** Writes the genesis and the first block at the first start, so that no client ever sees height 0. */
async function begin(ledger: Ledger, database: Database, genesis: ChainGenesis): Promise<void> {
  const found = ledger.committed.chainId;
  if (found !== '' && found !== genesis.chainId) {
    throw new Terminal({
      code: 'devnet-chain-genesis',
      message: `The directory holds the chain ${found}, not ${genesis.chainId}.`,
      advice: 'Give the chain id it was made with, or an empty directory.',
    });
  }
  if (found !== '' && database.get('format') !== STATE_FORMAT) {
    throw new Terminal({
      code: 'devnet-chain-storage',
      message: "The state of the devnet's chain was written by another version of Sealion.",
      advice: 'Start the devnet without --keep, or give another folder.',
    });
  }
  if (found === '') await database.commit(genesisChanges(database, genesis), true);
  // True also after a crash between these two writes.
  if (ledger.committed.head.height === 0) await ledger.produceBlock(Date.now());
}

function genesisChanges(database: Database, genesis: ChainGenesis): ReadonlyMap<string, unknown> {
  const state = new State(database);
  putGenesis(state, genesis);
  return state.overlay.changes();
}

/** Makes blocks. The transactions of a block that cannot be written wait for the next one. */
async function produceBlocks(
  ledger: Ledger,
  blockTimeMs: number,
  signal: AbortSignal,
  log: Logger,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await sleep(blockTimeMs, undefined, { signal });
      await ledger.produceBlock(Date.now());
    } catch (error) {
      if (!signal.aborted) log.error({ error }, 'failed to make a block');
    }
  }
}
