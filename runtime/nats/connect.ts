import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import type { NatsConnection, Status } from '@nats-io/nats-core';
import { NatsConnectionImpl, setTransportFactory } from '@nats-io/nats-core/internal';
import { NodeTransport, nodeResolveHost } from 'nats/lib/node_transport.js';
import { throwIfAborted } from '#protocols/errors';
import type { Logger } from '../telemetry/logger.ts';
import { isTimeout, natsError } from './errors.ts';
import { Outbound } from './outbound.ts';
import { MessageReader, wholeMessages } from './whole-messages.ts';

export interface NatsOptions {
  /** One URL, or several separated by commas: `nats://host:4222`. */
  readonly url: string;
  readonly user?: string;
  readonly password?: string;
  /** Shown in the server's list of connections, for example `sp-1@node-a home`. */
  readonly name: string;
  /** Subject prefix of replies, for accounts that may subscribe only there. */
  readonly inboxPrefix?: string;
  readonly log: Logger;
  readonly signal?: AbortSignal;
}

const CONNECT_LIMIT_MS = 5_000;
/** How often a server that is reached, but does not answer in time, is tried: it, or this process, may be busy. */
const CONNECT_TRIES = 4;
const RECONNECT_WAIT_MS = 250;
const PING_EVERY_MS = 5_000;

/**
 * Opens a connection to one NATS plane (ARCHITECTURE.md#the-two-nats-planes). The first connect fails at once where no
 * server listens, and after 20 s where none answers; after that the connection is restored automatically, without limit,
 * and its state changes are logged. The caller closes it.
 * @throws Retryable `nats-unavailable`; Terminal `nats-refused`; Cancelled
 */
export async function connectNats(options: NatsOptions): Promise<NatsConnection> {
  throwIfAborted(options.signal);
  const doing = `connecting to ${options.url}`;
  setTransportFactory({ factory: () => new Transport(), dnsResolveFn: nodeResolveHost });
  const connection = await tried(options.signal, () =>
    NatsConnectionImpl.connect({
      servers: options.url.split(',').map((server) => server.trim()),
      name: options.name,
      ...(options.user !== undefined && { user: options.user }),
      ...(options.password !== undefined && { pass: options.password }),
      ...(options.inboxPrefix !== undefined && { inboxPrefix: options.inboxPrefix }),
      timeout: CONNECT_LIMIT_MS,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_WAIT_MS,
      reconnectJitter: RECONNECT_WAIT_MS,
      ignoreAuthErrorAbort: true,
      pingInterval: PING_EVERY_MS,
      maxPingOut: 2,
      // Stack traces cost more than the rest of a request, and our errors say what was being done.
      noAsyncTraces: true,
    }),
  ).catch((error: unknown) => {
    throw natsError(error, doing);
  });
  if (options.signal?.aborted) await connection.close();
  throwIfAborted(options.signal);
  sendWithoutCopies(connection as NatsConnectionImpl);
  void logStatus(connection, options.log.child({ plane: options.name }));
  return connection;
}

async function tried(
  signal: AbortSignal | undefined,
  connect: () => Promise<NatsConnection>,
): Promise<NatsConnection> {
  for (let tries = 1; ; tries += 1) {
    throwIfAborted(signal);
    try {
      return await connect();
    } catch (error) {
      if (!isTimeout(error) || tries === CONNECT_TRIES) throw error;
    }
  }
}

function sendWithoutCopies({ protocol }: NatsConnectionImpl): void {
  const outbound = new Outbound((part) => protocol.transport.send(part));
  if (protocol.outbound.size() > 0) outbound.fill(protocol.outbound.drain());
  protocol.outbound = outbound;
}

class Transport extends NodeTransport {
  #corked: Socket | undefined;

  /** As the library's, but what arrives is read to where it stays, and handed over in whole messages. */
  override async dial({ hostname, port }: { hostname: string; port: number }): Promise<Socket> {
    const reader = new MessageReader();
    const socket = createConnection({
      host: hostname,
      port,
      noDelay: true,
      onread: {
        buffer: () => reader.room,
        callback: (count) => {
          const complete = reader.arrived(count);
          if (complete) socket.emit('data', complete);
          return true;
        },
      },
    });
    await once(socket, 'connect');
    return socket;
  }

  override iterate(): AsyncIterableIterator<Uint8Array> {
    const frames = super.iterate();
    return this.isEncrypted() ? wholeMessages(frames) : frames;
  }

  /** The library writes once for each microtask. What is sent in one turn of the event loop goes in one write. */
  override send(frame: Uint8Array): void {
    // The library flushes once more after the socket is gone, and sends nothing then.
    const socket = this.socket as Socket | undefined;
    if (!this.#corked && socket) {
      this.#corked = socket;
      socket.cork();
      setImmediate(() => this.#uncork());
    }
    super.send(frame);
  }

  override close(error?: Error): Promise<void> {
    this.#uncork();
    return super.close(error);
  }

  #uncork(): void {
    this.#corked?.uncork();
    this.#corked = undefined;
  }
}

/** Logs state changes until the connection is closed. */
async function logStatus(connection: NatsConnection, log: Logger): Promise<void> {
  for await (const status of connection.status()) tell(status, log);
}

function tell(status: Status, log: Logger): void {
  switch (status.type) {
    case 'disconnect':
    case 'staleConnection':
      log.warn({ status: status.type }, 'connection to NATS lost');
      break;
    case 'reconnect':
      log.info({ server: status.server }, 'connection to NATS restored');
      break;
    case 'slowConsumer':
      log.warn(
        { subject: status.sub.getSubject(), pending: status.pending },
        'reading from NATS too slowly: messages may be dropped',
      );
      break;
    case 'error':
      log.error({ error: status.error }, 'NATS reports an error');
      break;
    default:
      log.debug({ status: status.type }, 'connection to NATS');
  }
}
