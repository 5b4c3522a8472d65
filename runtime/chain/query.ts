import type { Tendermint37Client } from '@cosmjs/tendermint-rpc';
import { Retryable, SealionError, Terminal } from '#protocols/errors';
import type { Answer } from './answers.ts';
import { isNodeTrouble, type Rpc, RpcRefusal } from './rpc.ts';

/** What telescope-made message types offer to write and to read themselves. */
interface Encoder<T> {
  encode(message: T): { finish(): Uint8Array };
}
interface Decoder<T> {
  decode(bytes: Uint8Array): T;
}

/** One method of a gRPC query service, reached by `abci_query`; `path` is `/package.Query/Method`. */
export interface QueryMethod<Q, A> {
  readonly path: string;
  readonly request: Encoder<Q>;
  readonly response: Decoder<A>;
  /** Log text by which the chain says that there is no such thing: it has no code of its own for it. */
  readonly missing?: RegExp;
}

/** Codes of codespace sdk that stand for trouble inside the node, not for a verdict: internal and panic. */
const NODE_TROUBLE = new Set([1, 111222]);

/**
 * Asks and decodes; undefined where the log matches `missing`.
 * @throws Terminal `chain-refused`, Retryable `chain-unavailable`, Cancelled
 */
export async function ask<Q, A>(
  rpc: Rpc,
  method: QueryMethod<Q, A>,
  message: Q,
  signal?: AbortSignal,
): Promise<A | undefined> {
  return (await answerTo(rpc, method, message, signal)).value;
}

/** As `ask`, with the block that the answer is of. */
export async function answerTo<Q, A>(
  rpc: Rpc,
  method: QueryMethod<Q, A>,
  message: Q,
  signal?: AbortSignal,
): Promise<Answer<A | undefined>> {
  const { value, height } = await askFor(rpc, method, message, signal, (log) =>
    method.missing?.test(log) ? NONE : undefined,
  );
  return { value: value === NONE ? undefined : value, height };
}

/** "There is no such thing", as an answer. */
const NONE = Symbol('none');

/**
 * Asks and decodes, or gives what `verdict` makes of the log of a node's "no" where that is an answer as well.
 * @throws as `ask`
 */
export async function askFor<Q, A, V>(
  rpc: Rpc,
  method: QueryMethod<Q, A>,
  message: Q,
  signal: AbortSignal | undefined,
  verdict: (log: string) => V | undefined,
): Promise<Answer<A | V>> {
  return withClient(rpc, signal, async (client) => {
    const data = method.request.encode(message).finish();
    const answer = await client.abciQuery({ path: method.path, data, prove: false });
    const { height = 0 } = answer;
    rpc.known.note(height);
    if (!answer.code) return { value: method.response.decode(answer.value), height };
    const log = answer.log ?? '';
    const value = verdict(log);
    if (value !== undefined) return { value, height };
    const facts = `${method.path}: code ${answer.code} (${answer.codespace}): ${log}`;
    if (answer.codespace === 'sdk' && NODE_TROUBLE.has(answer.code)) throw unavailable(facts);
    throw refused(facts);
  });
}

/** Runs one exchange with a node and brings whatever goes wrong into the taxonomy. */
export async function withClient<T>(
  rpc: Rpc,
  signal: AbortSignal | undefined,
  exchange: (client: Tendermint37Client) => Promise<T>,
): Promise<T> {
  try {
    return await exchange(rpc.client(signal));
  } catch (error) {
    const isTrouble = error instanceof RpcRefusal && isNodeTrouble(error);
    if (error instanceof SealionError && !isTrouble) throw error;
    throw unavailable(error instanceof Error ? error.message : String(error), error);
  }
}

export function unavailable(what: string, cause?: unknown): Retryable {
  return new Retryable({
    code: 'chain-unavailable',
    message: `The chain node cannot answer at the moment: ${what}`,
    advice: 'Check the node; the request is repeated.',
    cause,
  });
}

function refused(what: string): Terminal {
  return new Terminal({
    code: 'chain-refused',
    message: `The chain refused a query: ${what}`,
    advice: 'chain.rpc must point to a node of a Greenfield network.',
  });
}
