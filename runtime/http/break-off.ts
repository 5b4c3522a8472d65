import type { ServerResponse } from 'node:http';

/**
 * Breaks off a response and drops what the kernel still has to send of it. After a plain close that would stay there,
 * megabytes for each connection, as long as the client takes a byte now and then. Over TLS, the close is a plain one.
 */
export function breakOff(response: ServerResponse): void {
  const { socket } = response;
  // `resetAndDestroy` waits for what is being sent, so that a client that takes nothing would be waited for.
  if (socket && !('encrypted' in socket)) Object.assign(socket, { resetAndClosing: true });
  response.destroy();
}
