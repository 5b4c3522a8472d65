import { Cancelled, Retryable } from '#protocols/errors';

interface Waiting<Op> {
  readonly op: Op;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Combines many small writes into few synced ones: operations submitted during a write go into the next one, in the
 * order of submission.
 */
export class GroupCommit<Op> {
  readonly #commit: (ops: readonly Op[]) => Promise<readonly (Error | undefined)[]>;
  readonly #limits: { readonly batch: number; readonly waiting: number };
  #waiting: Waiting<Op>[] = [];
  #running: Promise<void> | undefined;
  #closed = false;

  /**
   * @param commit writes a group durably; returns for each operation why it was refused, or undefined. When it
   * throws, every operation of the group fails with that error.
   */
  constructor(
    commit: (ops: readonly Op[]) => Promise<readonly (Error | undefined)[]>,
    limits: { readonly batch: number; readonly waiting: number },
  ) {
    this.#commit = commit;
    this.#limits = limits;
  }

  /** Operations that wait for their write. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves when the operation is durable. @throws Retryable `journal-busy`; Cancelled `journal-closed` */
  submit(op: Op): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        return reject(new Cancelled({ code: 'journal-closed', message: 'The journal is closed.' }));
      }
      if (this.#waiting.length >= this.#limits.waiting) {
        return reject(
          new Retryable({
            code: 'journal-busy',
            message: `${this.#waiting.length} writes already wait for the journal's disk.`,
            advice: 'Check whether the disk of the journal is slow or full.',
          }),
        );
      }
      this.#waiting.push({ op, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Accepts no more operations, and resolves when all submitted ones are done. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    // what is submitted in this turn of the event loop shares the first write
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, this.#limits.batch);
      try {
        const refusals = await this.#commit(group.map(({ op }) => op));
        group.forEach((one, i) => {
          if (refusals[i]) one.reject(refusals[i]);
          else one.resolve();
        });
      } catch (error) {
        for (const one of group) one.reject(error);
      }
    }
    this.#running = undefined;
  }
}
