import { setImmediate as immediate } from 'node:timers/promises';
import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import { Cancelled, type SealionError } from '#protocols/errors';
import type { Address, Target } from './address.ts';

/** The data of a request that Hono carries. */
export interface GatewayEnv {
  /** Node's own request and response; absent when the app is called in memory. */
  Bindings: Partial<HttpBindings>;
  Variables: {
    record: RequestRecord;
    share: ClientShare;
    target: Target;
    address: Address;
    /** The traceparent of the request; absent when nothing is traced. */
    trace?: string;
    /** Name of the handler, for example `putObject`; absent for a request that reached none. */
    operation?: string;
    /** Media type of XML answers, if not `application/xml`. */
    xmlType?: string;
  };
}

export type GatewayContext = Context<GatewayEnv>;

/** Handles one operation. */
export type Handler = (c: GatewayContext) => Promise<Response>;

/** The limits of the client of a request. */
export interface ClientShare {
  /** The names by which the client is known: its address, and the accounts that sign. */
  readonly names: readonly string[];
  /**
   * Counts the request for the accounts that may have signed it, at most once per request.
   * @throws Retryable 429/960001
   */
  admit(accounts: readonly string[]): void;
  /**
   * Waits until the client may send or receive this many bytes more.
   * @returns false, early, when it has closed its side
   * @throws when the signal fires
   */
  pace(bytes: number, signal: AbortSignal): Promise<boolean>;
}

/** The content of a request's log line, filled in while the request is handled. */
export interface RequestRecord {
  readonly id: string;
  /** Address of the client; absent when its connection was closed early. */
  readonly client?: string;
  /** Payload bytes received or sent. */
  bytes: number;
  failure?: { readonly code: number; readonly error: SealionError };
  /** True for a request without a log line of its own: it is refused because its client exceeds its rate. */
  unlogged?: boolean;
  /** Resolves when the last byte of a streamed response has been sent, or never will be. */
  sent?: Promise<void>;
}

/** Fires when the client has gone, with Cancelled `client-gone` as its reason. */
export function clientSignal(c: GatewayContext): AbortSignal {
  const { signal } = c.req.raw;
  const controller = new AbortController();
  const gone = () => controller.abort(clientGone(signal.reason));
  if (signal.aborted) gone();
  else signal.addEventListener('abort', gone, { once: true });
  return controller.signal;
}

/** @param cause the error that showed it */
export function clientGone(cause?: unknown): Cancelled {
  return new Cancelled({
    code: 'client-gone',
    message: 'The client closed the connection.',
    gatewayCode: 110005,
    ...(cause !== undefined && { cause }),
  });
}

/**
 * What is read of one body in one round of the event loop: what Node reads at once. Without a bound it would read 32 times
 * as much of a connection that the kernel has given a large window, and little of the others.
 */
const ROUND_BYTES = 65_536;

/** The request's body as it arrives. Stopping the iteration leaves the connection open for the answer. */
export async function* bodyOf(c: GatewayContext): AsyncGenerator<Uint8Array, void, undefined> {
  const { incoming, outgoing } = c.env ?? {};
  if (!incoming) {
    if (c.req.raw.body) yield* c.req.raw.body;
    return;
  }
  // A client that asks first has waited until now, so a refusal spares it the upload.
  if (incoming.headers.expect !== undefined) outgoing?.writeContinue();
  let left = ROUND_BYTES;
  for await (const frame of incoming.iterator({ destroyOnReturn: false })) {
    yield frame;
    left -= frame.length;
    if (left > 0) continue;
    await immediate();
    left = ROUND_BYTES;
  }
}
