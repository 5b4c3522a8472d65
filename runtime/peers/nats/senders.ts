import { setTimeout as sleep } from 'node:timers/promises';
import { toSealionError } from '#protocols/errors';
import type { PeerContext } from './context.ts';
import type { Mailboxes } from './mail/mailboxes.ts';

/** How soon a lost mailbox is created again, and that of a new SP for the first time. */
const CHECK_MS = 5_000;

/** The SPs whose messages we accept: all that the chain lists. Maintains their mailboxes while the node runs. */
export class Senders {
  readonly #context: PeerContext;
  readonly #mailboxes: Mailboxes;
  readonly #known = new Set<number>();
  readonly #listeners = new Set<(from: number) => void>();
  readonly #providers: () => Promise<readonly { readonly id: number }[]>;

  constructor(
    context: PeerContext,
    mailboxes: Mailboxes,
    providers: () => Promise<readonly { readonly id: number }[]>,
  ) {
    this.#context = context;
    this.#mailboxes = mailboxes;
    this.#providers = providers;
  }

  /**
   * Opens the mailboxes; if the chain is unavailable, unknown senders get theirs later. @throws as
   * `Mailboxes.ensure`
   */
  async start(): Promise<void> {
    await this.#refresh();
    await this.#mailboxes.ensure([...this.#known]);
    void this.#keep();
  }

  /** Calls the listener for every sender, the known ones at once, until the returned function is called. */
  each(listener: (from: number) => void): () => void {
    this.#listeners.add(listener);
    for (const from of this.#known) listener(from);
    return () => this.#listeners.delete(listener);
  }

  async #refresh(): Promise<void> {
    try {
      for (const { id } of await this.#providers()) {
        if (id === this.#context.spId || this.#known.has(id)) continue;
        this.#known.add(id);
        for (const listener of this.#listeners) listener(id);
      }
    } catch (error) {
      this.#context.log.warn({ error: toSealionError(error) }, 'cannot look up new storage providers now');
    }
  }

  async #keep(): Promise<void> {
    const { closed, log } = this.#context;
    for (;;) {
      await sleep(CHECK_MS, undefined, { signal: closed }).catch(() => undefined);
      if (closed.aborted) return;
      const before = this.#known.size;
      await this.#refresh();
      try {
        const made = await this.#mailboxes.ensure([...this.#known]);
        if (made.length > 0 && this.#known.size === before) {
          log.error(
            { streams: made.slice(0, 20), count: made.length },
            'created lost mailboxes again; their senders will repeat the offers',
          );
        }
      } catch (error) {
        if (!closed.aborted) log.warn({ error: toSealionError(error) }, 'cannot check the mailboxes now');
      }
    }
  }
}
