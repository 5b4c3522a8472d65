import { Terminal } from '#protocols/errors';
import { type NatsServer, type NatsServerOptions, startNatsServer } from '#runtime/nats/server';

/** The nats-server of a devnet, which can be killed and started again on the same port and store. */
export class DevnetNats {
  readonly #options: NatsServerOptions;
  readonly #onCrash: (error: Terminal) => void;
  #server: NatsServer | undefined;

  /** @param onCrash called when it ends unexpectedly */
  constructor(options: NatsServerOptions, onCrash: (error: Terminal) => void) {
    this.#options = options;
    this.#onCrash = onCrash;
  }

  /** Undefined while it is not running. */
  get pid(): number | undefined {
    return this.#server?.pid;
  }

  /** @throws as `startNatsServer` */
  async start(): Promise<void> {
    const server = await startNatsServer(this.#options);
    this.#server = server;
    void server.ended.then(({ log }) => {
      if (this.#server === server) this.#crashed(log);
    });
  }

  /** Kills it, as a crash would; resolves when it has ended. */
  async kill(): Promise<void> {
    await this.#take()?.kill();
  }

  /** Shuts it down cleanly; resolves when it has ended. */
  async stop(): Promise<void> {
    this.signal('SIGCONT');
    await this.#take()?.stop();
  }

  /** Suspends it, or lets it continue. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    if (this.#server) process.kill(this.#server.pid, signal);
  }

  #take(): NatsServer | undefined {
    const server = this.#server;
    this.#server = undefined;
    return server;
  }

  #crashed(log: string): void {
    this.#server = undefined;
    this.#onCrash(
      new Terminal({
        code: 'devnet-process-failed',
        message: `nats-server ended unexpectedly; the end of its log:\n${log.trim()}`,
        advice: 'Start the devnet again; with --keep it keeps its data.',
      }),
    );
  }
}
