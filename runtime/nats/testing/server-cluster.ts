import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clusterReady } from '../cluster-ready.ts';
import { type NatsServer, type NatsServerOptions, startNatsServer } from '../server.ts';

const SERVERS = [0, 1, 2] as const;
/** Below those that systems give to outgoing connections. */
const PORTS = { first: 20_000, last: 32_000 };

/** Three nats-servers with one JetStream. */
export interface ServerCluster {
  /** Of all of them, separated by commas. */
  readonly url: string;
  server(index: number): NatsServer;
  /** Starts a server again that was stopped or killed, on the same store and port. */
  restart(index: number): Promise<void>;
  /** Ends all of them and removes their stores. */
  stop(): Promise<void>;
}

export interface ClusterOptions extends Pick<NatsServerOptions, 'binary' | 'config'> {
  /** Who may make a stream, where the configuration has accounts. */
  readonly user?: string;
  readonly password?: string;
}

/** Starts three nats-servers as a cluster, and waits until they can keep three replicas. */
export async function startServerCluster(options: ClusterOptions = {}): Promise<ServerCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'sealion-cluster-'));
  const first = randomInt(PORTS.first, PORTS.last);
  const routes = SERVERS.map((index) => `nats://127.0.0.1:${first + index}`);
  const start = (index: number, port?: number) =>
    startNatsServer({
      ...(options.binary !== undefined && { binary: options.binary }),
      ...(port !== undefined && { port }),
      storeDir: join(folder, String(index)),
      config: `${options.config ?? ''}
        server_name: s${index}
        cluster { name: test, listen: "127.0.0.1:${first + index}", routes: [${routes.join(', ')}] }`,
    });
  const servers = await Promise.all(SERVERS.map((index) => start(index)));
  const url = servers.map((one) => one.url).join(',');
  const { user, password } = options;
  await clusterReady({
    url,
    servers: SERVERS.length,
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
  });
  return {
    url,
    server: (index) => servers[index] as NatsServer,
    async restart(index) {
      servers[index] = await start(index, servers[index]?.port);
    },
    async stop() {
      await Promise.all(servers.map((one) => one.kill()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
