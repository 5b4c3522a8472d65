import { Terminal } from '#protocols/errors';
import {
  type PostgresServer,
  type PostgresServerOptions,
  startPostgresServer,
} from '#runtime/records/postgres-server';

/** The PostgreSQL of a devnet, which can be stopped and started again on the same port and data. */
export class DevnetPostgres {
  readonly #options: PostgresServerOptions;
  readonly #onCrash: (error: Terminal) => void;
  #server: PostgresServer | undefined;

  /** @param onCrash called when it ends without being asked to */
  constructor(options: PostgresServerOptions, onCrash: (error: Terminal) => void) {
    this.#options = options;
    this.#onCrash = onCrash;
  }

  /** Undefined while it does not run. */
  get pid(): number | undefined {
    return this.#server?.pid;
  }

  /** @throws as `startPostgresServer` */
  async start(): Promise<void> {
    const server = await startPostgresServer(this.#options);
    this.#server = server;
    void server.ended.then(({ log }) => {
      if (this.#server !== server) return;
      this.#server = undefined;
      this.#onCrash(
        new Terminal({
          code: 'devnet-process-failed',
          message: `PostgreSQL ended unexpectedly; the end of its log:\n${log.trim()}`,
          advice: 'Start the devnet again; with --keep it keeps its data.',
        }),
      );
    });
  }

  /** Lets it write what it holds and end; resolves when it is gone. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.stop();
  }
}
