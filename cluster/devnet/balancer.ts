import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A load balancer in front of the gateways of one SP, as an operator would have one. */
export interface Balancer {
  /** Ends all connections. */
  close(): Promise<void>;
}

/**
 * Passes each connection on to the next gateway, or to the one after it if that accepts none. It knows nothing of
 * HTTP, so that what gateways must do for each other cannot be done by it.
 * @param port on the loopback interface
 * @param gateways ports of the gateways there
 */
export async function startBalancer(port: number, gateways: readonly number[]): Promise<Balancer> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true).on('close', () => sockets.delete(socket));
  };
  let turn = 0;
  const server = createServer({ allowHalfOpen: true }, (client) => {
    keep(client);
    const first = turn++;
    const order = gateways.map((_, i) => gateways[(first + i) % gateways.length] as number);
    void passOn(client, order, keep);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function passOn(
  client: Socket,
  gateways: readonly number[],
  keep: (socket: Socket) => void,
): Promise<void> {
  client.on('error', () => client.destroy());
  for (const port of gateways) {
    const gateway = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    keep(gateway);
    const isOpen = await new Promise<boolean>((resolve) => {
      gateway.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    if (!isOpen) continue;
    gateway.on('error', () => gateway.destroy()).on('close', () => client.destroy());
    client.on('close', () => gateway.destroy());
    client.pipe(gateway).pipe(client);
    return;
  }
  client.destroy();
}
