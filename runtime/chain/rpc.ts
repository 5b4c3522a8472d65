import { setMaxListeners } from 'node:events';
import { Tendermint37Client } from '@cosmjs/tendermint-rpc';
import { Retryable, Terminal, throwIfAborted } from '#protocols/errors';
import { withDeadline } from '../async/with-deadline.ts';
import type { Logger } from '../telemetry/logger.ts';
import { KnownHeight } from './known-height.ts';
import { Poster } from './post.ts';
import { type Post, QueryBatches, readAnswer } from './query-batches.ts';

/** A JSON-RPC error from a node; the caller knows what it means for the method. */
export class RpcRefusal extends Terminal {
  readonly rpcCode: number;
  /** CometBFT's reason; its message is mostly "Internal error". */
  readonly data: string;

  constructor(rpcCode: number, message: string, data: string) {
    super({
      code: 'chain-refused',
      message: `The chain node refused a request: ${data ? `${message}: ${data}` : message}`,
    });
    this.rpcCode = rpcCode;
    this.data = data;
  }
}

/** CometBFT's "internal error": trouble in the node, while other codes blame the request. */
const INTERNAL_ERROR = -32603;

/** True for an error that may be gone at the next try. */
export function isNodeTrouble(error: RpcRefusal): boolean {
  return error.rpcCode === INTERNAL_ERROR;
}

export interface RpcOptions {
  /** Base URLs of nodes of the same chain, tried in order, beginning with the last one that answered. */
  readonly urls: readonly string[];
  /** Time limit of one request to one node, ms. */
  readonly timeoutMs: number;
  readonly log: Logger;
}

/** The method by which the modules of the chain are queried. */
const QUERY = 'abci_query';

/** The requests that Tendermint37Client passes to its transport. */
type RpcRequest = Parameters<Parameters<typeof Tendermint37Client.create>[0]['execute']>[0];
type RpcResponse = Awaited<ReturnType<Parameters<typeof Tendermint37Client.create>[0]['execute']>>;

/**
 * CometBFT's JSON-RPC over HTTP POST with failover between nodes. Nothing connects before the first request. (cosmjs's
 * own HttpClient supports neither an AbortSignal nor a second node.)
 */
export class Rpc {
  readonly known = new KnownHeight();
  readonly #options: RpcOptions;
  readonly #closed = new AbortController();
  readonly #poster = new Poster();
  readonly #queries = new QueryBatches((...request) => this.#post(...request));
  #current = 0;

  constructor(options: RpcOptions) {
    this.#options = options;
    // Every request adds a listener.
    setMaxListeners(0, this.#closed.signal);
  }

  /** A cosmjs client whose requests obey `signal`. Creating one is cheap and opens nothing. */
  client(signal?: AbortSignal): Tendermint37Client {
    return Tendermint37Client.create({
      execute: (request) => this.#execute(request, signal),
      disconnect: () => {},
    });
  }

  close(): void {
    this.#closed.abort();
    this.#poster.close();
  }

  /** @throws RpcRefusal, Retryable `chain-unavailable`, Cancelled */
  async #execute(request: RpcRequest, signal: AbortSignal | undefined): Promise<RpcResponse> {
    const { urls, log } = this.#options;
    const failures: unknown[] = [];
    const first = this.#current;
    for (let attempt = 0; attempt < urls.length; attempt += 1) {
      const index = (first + attempt) % urls.length;
      const url = urls[index] ?? '';
      try {
        const response = await this.#ask(url, request, signal);
        this.#current = index;
        return response;
      } catch (error) {
        if (error instanceof RpcRefusal) {
          this.#current = index;
          throw error;
        }
        throwIfAborted(signal);
        throwIfAborted(this.#closed.signal);
        log.debug({ url, method: request.method, error }, 'a chain node did not answer; trying the next one');
        failures.push(error);
      }
    }
    throw new Retryable({
      code: 'chain-unavailable',
      message: `No chain node answered ${request.method} (${urls.join(', ')}).`,
      advice: 'Check that the node runs and that chain.rpc points to it.',
      cause: failures.length === 1 ? failures[0] : new AggregateError(failures, 'every node failed'),
    });
  }

  async #ask(url: string, request: RpcRequest, signal: AbortSignal | undefined): Promise<RpcResponse> {
    const answer =
      request.method === QUERY
        ? await this.#queries.ask(url, request, signal)
        : readAnswer(await this.#post(url, JSON.stringify(request), signal));
    if (answer.error) {
      throw new RpcRefusal(answer.error.code, answer.error.message, String(answer.error.data ?? ''));
    }
    return { jsonrpc: '2.0', id: request.id, result: answer.result };
  }

  #post(url: string, json: string, signal: AbortSignal | undefined): ReturnType<Post> {
    return withDeadline(this.#options.timeoutMs, [this.#closed.signal, signal], (bounded) =>
      this.#poster.post(url, json, bounded),
    );
  }
}
