import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** How long a client may take to close its side after the last answer, ms. */
const LINGER_MS = 2_000;

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/**
 * Tracks the latest request and answer of each connection. Bytes that are not HTTP are answered once and in order:
 * neither inside another answer, nor if the request that they belong to has already been answered.
 */
export class Exchanges {
  readonly #latest = new WeakMap<Duplex, Exchange>();
  readonly #refused = new WeakSet<Duplex>();

  begin(request: IncomingMessage, response: ServerResponse): void {
    this.#latest.set(request.socket, { request, response });
  }

  /** Whether the latest request of a connection has not come to its end yet. */
  isWithinRequest(socket: Duplex): boolean {
    return this.#latest.get(socket)?.request.complete === false;
  }

  /** Ends a connection on which something other than HTTP arrived. @param answer the whole answer in wire format */
  refuse(socket: Duplex, answer: string): void {
    // The parser reports an error for each further chunk.
    if (this.#refused.has(socket)) return;
    this.#refused.add(socket);
    const { request, response } = this.#latest.get(socket) ?? {};
    const isOwn = !request || request.complete;
    const words = isOwn ? answer : '';
    if (!response || response.writableFinished || response.destroyed) lastWords(socket, words);
    else if (isOwn || response.headersSent) response.once('close', () => lastWords(socket, words));
    else if (response.socket) lastWords(socket, answer);
    else response.once('socket', () => lastWords(socket, answer));
  }
}

function lastWords(socket: Duplex, words: string): void {
  if (socket.destroyed) return;
  if (socket.writable) socket.end(words);
  const limit = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(limit));
}
