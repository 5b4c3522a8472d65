import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import { Cancelled, type SealionError } from '#protocols/errors';
import type { Address, Target } from './address.ts';

/** What Hono carries for a request. */
export interface GatewayEnv {
  /** Node's own request and response; absent when the app is called in memory. */
  Bindings: Partial<HttpBindings>;
  Variables: {
    record: RequestRecord;
    share: ClientShare;
    target: Target;
    address: Address;
    /** Media type of what is answered in XML, where it is not `application/xml`. */
    xmlType?: string;
  };
}

export type GatewayContext = Context<GatewayEnv>;

/** Answers one operation. */
export type Handler = (c: GatewayContext) => Promise<Response>;

/** The share that the client of one request has of the gateway. */
export interface ClientShare {
  /** The names by which the client is known: its address, and the accounts that sign. */
  readonly names: readonly string[];
  /**
   * Counts the request for the accounts that may have signed it as well, once, however often it is looked at.
   * @throws Retryable 429/960001
   */
  admit(accounts: readonly string[]): void;
  /**
   * Waits until the client may have so many bytes more.
   * @returns false, early, when it has closed its side
   * @throws when the signal fires
   */
  pace(bytes: number, signal: AbortSignal): Promise<boolean>;
}

/** What the log line of a request will say; filled in on the way. */
export interface RequestRecord {
  readonly id: string;
  /** The address that the request comes from, where it came over a connection that is still there. */
  readonly client?: string;
  /** Payload bytes taken in or handed out. */
  bytes: number;
  failure?: { readonly code: number; readonly error: SealionError };
  /** Has no line of its own: requests that cost nobody anything but a client over its rate. */
  unlogged?: boolean;
  /** Resolves when the last byte of a streamed response has left, or never will. */
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

/** @param cause what showed it */
export function clientGone(cause?: unknown): Cancelled {
  return new Cancelled({
    code: 'client-gone',
    message: 'The client closed the connection.',
    gatewayCode: 110005,
    ...(cause !== undefined && { cause }),
  });
}

/** The request's body as it arrives. Stopping the iteration leaves the connection open for the answer. */
export async function* bodyOf(c: GatewayContext): AsyncGenerator<Uint8Array, void, undefined> {
  const { incoming, outgoing } = c.env ?? {};
  if (!incoming) {
    if (c.req.raw.body) yield* c.req.raw.body;
    return;
  }
  // A client that asked first has been left waiting until now, so a refusal costs it no upload.
  if (incoming.headers.expect !== undefined) outgoing?.writeContinue();
  yield* incoming.iterator({ destroyOnReturn: false });
}
