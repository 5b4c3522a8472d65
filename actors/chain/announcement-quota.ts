import { Retryable } from '#protocols/errors';
import { TokenBuckets } from '#runtime/load/token-buckets';

const HOUR_S = 3_600;

/** Limits the objects, updates and folders announced for an account, each of which costs the provider a fee. */
export class AnnouncementQuota {
  readonly #buckets: TokenBuckets;
  readonly #perHour: number;

  /** @param perHour announcements for one account in an hour */
  constructor(perHour: number) {
    this.#perHour = perHour;
    this.#buckets = new TokenBuckets({ perSecond: perHour / HOUR_S, burst: perHour });
  }

  /** Counts one announcement. @throws Retryable 406/60003 when the account has used up its quota */
  take(account: string): void {
    const retryAfterMs = this.#buckets.take(account);
    if (retryAfterMs === 0) return;
    throw new Retryable({
      code: 'too-many-announcements',
      message: `This provider announces at most ${this.#perHour} objects per hour for one account.`,
      advice: 'Create the object on chain yourself, or try again later.',
      gatewayCode: 60003,
      retryAfterMs,
    });
  }
}
