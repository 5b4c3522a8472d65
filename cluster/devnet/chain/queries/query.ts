import type { Ledger } from '../ledger.ts';
import { Errors, Refusal } from '../refusal.ts';

/** Answers one gRPC query: protobuf bytes in, protobuf bytes out. @throws Refusal */
export type QueryHandler = (ledger: Ledger, request: Uint8Array) => Promise<Uint8Array>;

interface Encoder<T> {
  encode(message: T): { finish(): Uint8Array };
}
interface Decoder<T> {
  decode(bytes: Uint8Array): T;
}

/** Makes a handler from the codecs of request and answer. */
export function query<Q, A>(
  request: Decoder<Q>,
  response: Encoder<A>,
  answer: (ledger: Ledger, request: Q) => A | Promise<A>,
): QueryHandler {
  return async (ledger, bytes) => response.encode(await answer(ledger, decode(request, bytes))).finish();
}

function decode<Q>(request: Decoder<Q>, bytes: Uint8Array): Q {
  try {
    return request.decode(bytes);
  } catch {
    throw new Refusal(Errors.INVALID_REQUEST, 'unexpected EOF');
  }
}

/** The refusal of a query that ends with the gRPC status "not found" instead of an error of a module. */
export function notFound(text: string): Refusal {
  return new Refusal(Errors.KEY_NOT_FOUND, `rpc error: code = NotFound desc = ${text}`);
}

export function invalidArgument(text: string): Refusal {
  return new Refusal(Errors.INVALID_REQUEST, `rpc error: code = InvalidArgument desc = ${text}`);
}

/** Maximum number of items on a page. */
export const PAGE_LIMIT = 100;

/** One page of a list. The page key is the position in the list. */
export function page<T>(
  items: readonly T[],
  pagination: { readonly key: Uint8Array; readonly limit: { toString(): string } } | undefined,
): { items: readonly T[]; nextKey: Uint8Array } {
  const start = Number(Buffer.from(pagination?.key ?? []).toString() || 0);
  const asked = Number(pagination?.limit.toString() ?? 0);
  if (!Number.isSafeInteger(start) || start < 0)
    throw new Refusal(Errors.INVALID_REQUEST, 'invalid page key');
  const end = start + (asked > 0 ? Math.min(asked, PAGE_LIMIT) : PAGE_LIMIT);
  return {
    items: items.slice(start, end),
    nextKey: end < items.length ? Buffer.from(end.toString()) : new Uint8Array(),
  };
}
