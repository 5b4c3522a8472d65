import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A message on its way between a NATS client and its server. */
export interface PassingMessage {
  readonly from: 'client' | 'server';
  /** Its first line, for example `HMSG _INBOX.x 1 5 20` or `PUB $O.pieces.M.a _INBOX.y 300`. */
  readonly line: string;
}

/** Stands between NATS clients and a server on the loopback interface, and cuts connections. For tests. */
export interface CuttingProxy {
  readonly url: string;
  readonly cuts: number;
  close(): void;
}

/**
 * @param cutAt is asked for every message of either side; when it says true, the connection is cut and the message
 * is lost
 */
export async function startCuttingProxy(
  serverPort: number,
  cutAt: (message: PassingMessage) => boolean,
): Promise<CuttingProxy> {
  const sockets = new Set<Socket>();
  let cuts = 0;
  const proxy = createServer((client) => {
    const server = connect(serverPort, '127.0.0.1');
    pass('client', client, server);
    pass('server', server, client);
  });

  function pass(from: PassingMessage['from'], source: Socket, target: Socket): void {
    sockets.add(source);
    let buffer = Buffer.alloc(0);
    source
      .setNoDelay(true)
      .on('error', () => target.destroy())
      .on('close', () => {
        target.destroy();
        sockets.delete(source);
      })
      .on('data', (data) => {
        buffer = Buffer.concat([buffer, data]);
        let end = endOfFrame(buffer);
        while (end !== undefined && !source.destroyed) {
          const line = buffer.subarray(0, buffer.indexOf('\r\n')).toString();
          if (isMessage(line) && cutAt({ from, line })) {
            cuts += 1;
            source.destroy();
            target.destroy();
            return;
          }
          target.write(buffer.subarray(0, end));
          buffer = buffer.subarray(end);
          end = endOfFrame(buffer);
        }
      });
  }

  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    url: `nats://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    get cuts() {
      return cuts;
    },
    close() {
      proxy.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function isMessage(line: string): boolean {
  return /^H?(MSG|PUB) /.test(line);
}

/** Where the first line, and the payload that it announces, end; undefined while not all of it is here. */
function endOfFrame(buffer: Buffer): number | undefined {
  const lineEnd = buffer.indexOf('\r\n');
  if (lineEnd === -1) return undefined;
  const line = buffer.subarray(0, lineEnd).toString();
  const payload = isMessage(line) ? Number(line.slice(line.lastIndexOf(' '))) + 2 : 0;
  const end = lineEnd + 2 + payload;
  return end <= buffer.length ? end : undefined;
}
