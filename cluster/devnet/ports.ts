import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { Retryable } from '#protocols/errors';

/**
 * Systems choose the ports of outgoing connections, and free ports on request, from a higher range (from 32768 on
 * Linux, 49152 on macOS), so a port that is free here remains so, even while a devnet is down for a moment.
 */
const FIRST = 20_000;
const LAST = 32_767;
const TRIES = 100;

/**
 * Ports of the loopback interface that are free now, one after the other.
 * @throws Retryable `no-free-ports`
 */
export async function freePorts(count: number): Promise<readonly number[]> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const first = randomInt(FIRST, LAST - count + 2);
    const ports = Array.from({ length: count }, (_, i) => first + i);
    const free = await Promise.all(ports.map(isFree));
    if (!free.includes(false)) return ports;
  }
  throw new Retryable({
    code: 'no-free-ports',
    message: `There are no ${count} free ports in a row between ${FIRST} and ${LAST}.`,
    advice: 'Stop the programs that use them, or choose the ports yourself.',
  });
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
