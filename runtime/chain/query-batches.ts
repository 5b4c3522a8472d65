import { orAborted } from '../async/or-aborted.ts';

/** A JSON-RPC call. */
export interface RpcCall {
  readonly id: string | number;
  readonly method: string;
}

export interface RpcAnswer {
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

/** Posts JSON to a node, within a time limit. */
export type Post = (
  url: string,
  json: string,
  signal: AbortSignal | undefined,
) => Promise<{ readonly status: number; readonly text: string }>;

/** The queries to one node. */
interface Line {
  readonly waiting: Waiting[];
  /** Requests that are not answered yet. */
  inFlight: number;
  /** Sends what waits, at the latest; absent while nothing waits. */
  timer?: NodeJS.Timeout | undefined;
}

interface Waiting {
  readonly call: RpcCall;
  readonly signal: AbortSignal | undefined;
  resolve(answer: RpcAnswer): void;
  reject(error: unknown): void;
}

/** Number of calls in one request: the limit that CometBFT sets by default. */
const MAX_CALLS = 10;
/** How long queries wait for the answer to others before they are sent, ms. */
const TOGETHER_MS = 20;
/** How long a node that has refused a batch gets single requests, ms. */
const SINGLE_MS = 60_000;

/**
 * Queries to a node share a request, as a JSON-RPC batch: those of one turn of the event loop and, while a request is
 * under way, those that come until its answer, but for 20 ms at most. So a busy node gets few requests, and a query to an
 * idle one does not wait. Where the node does not answer batches, each is sent by itself. Only for calls that may be
 * repeated.
 */
export class QueryBatches {
  readonly #post: Post;
  /** By URL. */
  readonly #lines = new Map<string, Line>();
  /** Until when a node gets single requests; monotonic, ms. */
  readonly #singleUntil = new Map<string, number>();

  constructor(post: Post) {
    this.#post = post;
  }

  /** @throws what `post` fails with, Error for an answer that is not JSON-RPC, Cancelled */
  ask(url: string, call: RpcCall, signal: AbortSignal | undefined): Promise<RpcAnswer> {
    const line = this.#lines.get(url) ?? { waiting: [], inFlight: 0 };
    this.#lines.set(url, line);
    const answer = new Promise<RpcAnswer>((resolve, reject) => {
      line.waiting.push({ call, signal, resolve, reject });
    });
    if (line.waiting.length === 1) this.#sendSoon(url, line);
    return orAborted(answer, signal);
  }

  #sendSoon(url: string, line: Line): void {
    if (line.inFlight === 0) setImmediate(() => this.#send(url, line));
    else line.timer = setTimeout(() => this.#send(url, line), TOGETHER_MS);
  }

  #send(url: string, line: Line): void {
    clearTimeout(line.timer);
    line.timer = undefined;
    const isSingle = performance.now() < (this.#singleUntil.get(url) ?? 0);
    const calls = isSingle ? 1 : MAX_CALLS;
    while (line.waiting.length > 0) void this.#await(url, line, line.waiting.splice(0, calls));
  }

  /** One request; what waits for its answer is sent after it. */
  async #await(url: string, line: Line, together: readonly Waiting[]): Promise<void> {
    line.inFlight += 1;
    await this.#sendTogether(url, together);
    line.inFlight -= 1;
    if (line.inFlight === 0 && line.timer) this.#send(url, line);
  }

  async #sendTogether(url: string, together: readonly Waiting[]): Promise<void> {
    const [first] = together;
    if (first && together.length === 1) return this.#sendAlone(url, first);
    try {
      const body = JSON.stringify(together.map(({ call }, id) => ({ ...call, id })));
      const { text } = await this.#post(url, body, undefined);
      const answers = parse(text);
      if (!Array.isArray(answers)) {
        this.#singleUntil.set(url, performance.now() + SINGLE_MS);
        await Promise.all(together.map((one) => this.#sendAlone(url, one)));
        return;
      }
      const byId = new Map(answers.filter(isAnswer).map((answer) => [answer.id, answer]));
      for (const [id, { resolve, reject }] of together.entries()) {
        const answer = byId.get(id);
        if (answer) resolve(answer);
        else reject(new Error(`a batch without the answer to one of its calls: ${text.slice(0, 200)}`));
      }
    } catch (error) {
      for (const { reject } of together) reject(error);
    }
  }

  async #sendAlone(url: string, { call, signal, resolve, reject }: Waiting): Promise<void> {
    try {
      resolve(readAnswer(await this.#post(url, JSON.stringify(call), signal)));
    } catch (error) {
      reject(error);
    }
  }
}

/** @throws Error when it is not a JSON-RPC answer */
export function readAnswer({ status, text }: { readonly status: number; readonly text: string }): RpcAnswer {
  const answer = parse(text);
  if (isAnswer(answer)) return answer;
  throw new Error(`HTTP ${status} without a JSON-RPC answer: ${text.slice(0, 200)}`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isAnswer(value: unknown): value is RpcAnswer & { readonly id?: unknown } {
  return typeof value === 'object' && value !== null && ('result' in value || 'error' in value);
}
