import { connect } from 'node:net';
import { lookupLoopback } from '#runtime/http/endpoints';

/**
 * A process of its own: readers of one object over plain HTTP, each again and again until the parent sends a message.
 * Bytes are counted and dropped: clients that did more would take the processor from the provider that is measured.
 */
const [href = '', size = '0', count = '0'] = process.argv.slice(2);
const { hostname, host, port, pathname } = new URL(href);
const scratch = Buffer.allocUnsafe(256 * 1024);
/** Before another try, when an answer was not complete; ms. */
const PAUSE_MS = 200;

const served = { answers: 0, failures: 0 };
let stopped = false;
process.once('message', () => {
  stopped = true;
});

/** @returns bytes received, of head and body */
function read(): Promise<number> {
  return new Promise((resolve) => {
    let bytes = 0;
    const socket = connect({
      host: hostname,
      port: Number(port),
      lookup: lookupLoopback,
      onread: {
        buffer: scratch,
        callback: (length) => {
          bytes += length;
          return true;
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
  while (!stopped) {
    if ((await read()) > Number(size)) served.answers += 1;
    else {
      served.failures += 1;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

const all = Array.from({ length: Number(count) }, readAgain);
process.send?.('begun');
await Promise.all(all);
process.send?.(served, () => process.disconnect());
