import { Retryable } from '../protocols/errors.ts';

/** Bounds how many requests of a kind are in work at once. */
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
    if (this.free === 0) {
      throw new Retryable({
        code: 'gateway-busy',
        message: `${this.limit} ${this.what} are in work already.`,
        advice: 'Try again in a few seconds.',
        gatewayCode: 60003,
        retryAfterMs: 5000,
      });
    }
    this.free -= 1;
    let taken = true;
    return () => {
      if (taken) this.free += 1;
      taken = false;
    };
  }
}
