import { Retryable } from '#protocols/errors';

/** How many slots there are: a number, or what says it whenever one is taken. */
export type SlotLimit = number | (() => number);

/** Limits the number of requests of a kind in progress. */
export class Slots {
  private taken = 0;
  private readonly limit: SlotLimit;
  private readonly what: string;

  /** @param what plural, for the error message, for example `uploads` */
  constructor(limit: SlotLimit, what: string) {
    this.limit = limit;
    this.what = what;
  }

  /** Slots that are taken, and how many there are. */
  get used(): number {
    return this.taken;
  }

  get most(): number {
    return typeof this.limit === 'number' ? this.limit : this.limit();
  }

  /** Number of free slots; less than 0 when the limit has become smaller. */
  get free(): number {
    return this.most - this.taken;
  }

  /**
   * Takes a slot.
   * @returns a function that releases it; only its first call counts
   * @throws Retryable 406/60003 when none is free
   */
  take(): () => void {
    if (this.free <= 0) throw busy(this.most, this.what);
    this.taken += 1;
    let mine = true;
    return () => {
      if (mine) this.taken -= 1;
      mine = false;
    };
  }
}

/** Slots of which one user may hold at most a fixed number. */
export class SharedSlots {
  private readonly slots: Slots;
  private readonly share: number;
  private readonly what: string;
  private readonly held = new Map<string, number>();

  /** @param what as for `Slots` */
  constructor(limit: number, share: number, what: string) {
    this.slots = new Slots(limit, what);
    this.share = share;
    this.what = what;
  }

  get used(): number {
    return this.slots.used;
  }

  get most(): number {
    return this.slots.most;
  }

  /** As `Slots.take`. @throws Retryable 406/60003 when none is free, or the user has its share */
  take(user: string): () => void {
    const held = this.held.get(user) ?? 0;
    if (held >= this.share) throw busy(held, `${this.what} of one client`);
    const giveBack = this.slots.take();
    this.held.set(user, held + 1);
    let taken = true;
    return () => {
      giveBack();
      if (!taken) return;
      taken = false;
      const left = (this.held.get(user) ?? 1) - 1;
      if (left > 0) this.held.set(user, left);
      else this.held.delete(user);
    };
  }
}

/**
 * Slots that clients share by what is left: each may hold at most as many as are free. A single client thus gets half
 * of them, and there is always room for another one.
 */
export class DividedSlots {
  private readonly slots: Slots;
  private readonly what: string;
  private readonly held = new Map<string, number>();

  /** @param what as for `Slots` */
  constructor(limit: SlotLimit, what: string) {
    this.slots = new Slots(limit, what);
    this.what = what;
  }

  get used(): number {
    return this.slots.used;
  }

  get most(): number {
    return this.slots.most;
  }

  /**
   * As `Slots.take`.
   * @param client the names by which the client is known, such as its address and its account; each is bounded
   * @throws Retryable 406/60003 when none is free, or the client holds as many as are
   */
  take(client: readonly string[]): () => void {
    const names = [...client];
    const most = Math.max(0, ...names.map((name) => this.held.get(name) ?? 0));
    if (most > 0 && most >= this.slots.free) throw busy(most, `${this.what} of this client`);
    const giveBack = this.slots.take();
    for (const name of names) this.held.set(name, (this.held.get(name) ?? 0) + 1);
    let mine = true;
    return () => {
      giveBack();
      if (!mine) return;
      mine = false;
      for (const name of names) {
        const left = (this.held.get(name) ?? 1) - 1;
        if (left > 0) this.held.set(name, left);
        else this.held.delete(name);
      }
    };
  }
}

function busy(count: number, what: string): Retryable {
  return new Retryable({
    code: 'gateway-busy',
    message: `${count} ${what} are already in progress.`,
    advice: 'Try again in a few seconds.',
    gatewayCode: 60003,
    retryAfterMs: 5000,
  });
}
