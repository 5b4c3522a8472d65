import { planPayload } from '#protocols/payload/plan';
import type { BundleHeader, Letter } from '#protocols/replication/bundle';
import type { InboundOffer } from '../../peers.ts';
import type { Asks } from '../asks.ts';
import type { PeerContext } from '../context.ts';
import { INLINE_COLUMN } from '../limits.ts';
import { checkPlace, malformedOffer } from '../offer-checks.ts';
import type { SenderSlots } from '../sender-slots.ts';
import { GivenApprovals } from '../standing/given.ts';
import { COLUMNS, mailSubject } from '../subjects.ts';
import { type Bundles, wrongKind } from './bundles.ts';
import { SmallOffer } from './small-offer.ts';

/** The offers that came with their column. */
export class SmallOffers {
  readonly #context: PeerContext;
  readonly #bundles: Bundles;
  readonly #asks: Asks;
  readonly #approvals: GivenApprovals;
  /** By mail subject: one for each column. */
  readonly #held = new Map<string, SmallOffer>();

  constructor(context: PeerContext, bundles: Bundles, asks: Asks) {
    this.#context = context;
    this.#bundles = bundles;
    this.#asks = asks;
    this.#approvals = new GivenApprovals(context.codec);
  }

  /** Passes on offers while their sender has a free slot, until the signal fires. */
  take(slots: SenderSlots, give: (offer: InboundOffer) => void, until: AbortSignal): void {
    const stop = this.#bundles.hear(COLUMNS, (letter, bundle) =>
      this.#hear(letter, bundle, { slots, give, until }),
    );
    until.addEventListener('abort', stop, { once: true });
  }

  /** Drops all held offers, so that another node gets them when they are repeated. */
  async release(): Promise<void> {
    await Promise.all([...this.#held.values()].map((offer) => offer.postpone()));
  }

  async #hear(
    letter: Letter,
    bundle: BundleHeader,
    { slots, give, until }: { slots: SenderSlots; give: (offer: InboundOffer) => void; until: AbortSignal },
  ): Promise<void> {
    const { from } = bundle;
    if (letter.kind === 'standing-ask') {
      const answer = await this.#asks.answerStanding(letter, from);
      this.#bundles.post(from, bundle.answerTo, answer, () => undefined);
      return;
    }
    if (letter.kind !== 'column') throw wrongKind(letter.kind);
    checkColumn(letter);
    const { job, redundancyIndex } = letter;
    const key = mailSubject('offer', { job, redundancyIndex, from, to: this.#context.spId });
    // A repetition of the offer that is being handled.
    if (this.#held.get(key)?.nonce === letter.nonce) return;
    await slots.untilFree(from, until);
    const held = this.#held.get(key);
    const { senderLimits } = this.#context;
    // Offers that replace each other endlessly would keep this node busy without any result.
    if (held) senderLimits.charge(from);
    held?.supersede();
    slots.take(from);
    const parts = { context: this.#context, bundles: this.#bundles, letter, bundle };
    const offer = new SmallOffer({
      ...parts,
      onSettled: () => {
        if (this.#held.get(key) === offer) this.#held.delete(key);
        slots.release(from);
      },
    });
    this.#held.set(key, offer);
    const fault = this.#approvals.use(offer.offer, letter.nonce);
    if (!fault) return give(offer);
    senderLimits.charge(from);
    await offer.refuse(fault);
  }
}

/** @throws Terminal `offer-malformed`, `bad-payload-shape` */
function checkColumn({ body, redundancyIndex, attachment }: Letter<'column'>): void {
  const plan = planPayload(body);
  checkPlace(plan, redundancyIndex);
  const length = attachment?.length ?? 0;
  if (length !== plan.columnLength) throw malformedOffer('the column in it has the wrong length');
  if (length > INLINE_COLUMN) throw malformedOffer(`a column of ${length} bytes is not a small one`);
}
