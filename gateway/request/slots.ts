import { Retryable } from '#protocols/errors';

/** Bounds how many requests of a kind are in progress at once. */
export class Slots {
  private free: number;
  private readonly limit: number;
  private readonly what: string;

  /** @param what plural, for the message to one too many, for example `uploads` */
  constructor(limit: number, what: string) {
    this.limit = limit;
    this.free = limit;
    this.what = what;
  }

  /**
   * Takes a slot.
   * @returns a function that gives it back; only its first call counts
   * @throws Retryable 406/60003 when none is free
   */
  take(): () => void {
    if (this.free === 0) throw busy(this.limit, this.what);
    this.free -= 1;
    let taken = true;
    return () => {
      if (taken) this.free += 1;
      taken = false;
    };
  }
}

/** Slots of which one user may hold no more than a share. */
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

function busy(count: number, what: string): Retryable {
  return new Retryable({
    code: 'gateway-busy',
    message: `${count} ${what} are already in progress.`,
    advice: 'Try again in a few seconds.',
    gatewayCode: 60003,
    retryAfterMs: 5000,
  });
}
