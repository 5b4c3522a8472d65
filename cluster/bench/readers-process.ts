import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { lookupLoopback } from '#runtime/http/endpoints';

/**
 * A process of its own: readers of one object over plain HTTP, each again and again until the parent sends a message.
 * With a rate each reads at about that many bytes per second, as over a line of its own.
 * Bytes are counted and dropped: clients that did more would take the processor from the provider that is measured.
 */
const [href = '', size = '0', count = '0', rate = '0'] = process.argv.slice(2);
const { hostname, host, port, pathname } = new URL(href);
const scratch = Buffer.allocUnsafe(256 * 1024);
/** Before another try, when an answer was not complete; ms. */
const PAUSE_MS = 200;
/** A reader is not paused for less; ms. */
const LEAST_PAUSE_MS = 20;
/** Until the buffers of sockets that were all opened at once are full, ms. */
const SETTLE_MS = 5_000;

const served = { answers: 0, failures: 0 };
let stopped = false;
process.once('message', () => {
  stopped = true;
});

/** @returns bytes received, of head and body */
function read(perSecond: number): Promise<number> {
  return new Promise((resolve) => {
    const begin = performance.now();
    let bytes = 0;
    const socket = connect({
      host: hostname,
      port: Number(port),
      lookup: lookupLoopback,
      onread: {
        buffer: scratch,
        callback: (length) => {
          bytes += length;
          if (perSecond === 0 || stopped) return true;
          const early = begin + (bytes / perSecond) * 1_000 - performance.now();
          if (early < LEAST_PAUSE_MS) return true;
          setTimeout(() => socket.resume(), early);
          return false;
        },
      },
    });
    socket.on('connect', () =>
      socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
    );
    socket.on('error', () => {});
    socket.on('close', () => resolve(bytes));
  });
}

async function readAgain(): Promise<void> {
  // From half of the rate to one and a half times as much, or all would begin and end together.
  const perSecond = Number(rate) * (0.5 + Math.random());
  while (!stopped) {
    if ((await read(perSecond)) > Number(size)) served.answers += 1;
    else {
      served.failures += 1;
      await sleep(PAUSE_MS);
    }
  }
}

process.once('disconnect', () => process.exit());
const all = Array.from({ length: Number(count) }, readAgain);
if (Number(rate) > 0) await sleep(SETTLE_MS);
process.send?.('begun');
await Promise.all(all);
process.send?.(served, () => process.disconnect());
