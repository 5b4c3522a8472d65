import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer, JsMsg } from '@nats-io/jetstream';
import type { ControlMessage } from '#protocols/control/message';
import { toSealionError } from '#protocols/errors';
import { sameJob } from '#protocols/job/identity';
import { planPayload } from '#protocols/payload/plan';
import { Arrivals } from '#runtime/async/arrivals';
import { orAborted } from '#runtime/async/or-aborted';
import type { InboundOffer } from '../../peers.ts';
import type { Asks } from '../asks.ts';
import type { Bundles } from '../bundles/bundles.ts';
import { SmallOffers } from '../bundles/small-offers.ts';
import type { PeerContext } from '../context.ts';
import { approvalFault, checkPlace, malformedOffer } from '../offer-checks.ts';
import { SenderSlots } from '../sender-slots.ts';
import type { Senders } from '../senders.ts';
import { CreditBudget } from '../session/credit-budget.ts';
import { parseMailSubject } from '../subjects.ts';
import { HeldOffer } from './held-offer.ts';
import type { Mailboxes } from './mailboxes.ts';

const PULL_MS = 30_000;
/** When two in a row are missing the pull has been lost, for example with the server that had it; ms. */
const HEARTBEAT_MS = 2_500;
const RETRY_MS = 1_000;
/** When we cannot check an offer now, for example because the chain does not answer. */
const UNCHECKED_MS = 5_000;

/** Takes offers out of our mailboxes, each sender's separately, and those that came with their column. */
export class Offers {
  readonly #context: PeerContext;
  readonly #mailboxes: Mailboxes;
  readonly #senders: Senders;
  readonly #budget: CreditBudget;
  readonly #small: SmallOffers;
  /** By mail subject: one for each column. */
  readonly #held = new Map<string, HeldOffer>();

  constructor(
    context: PeerContext,
    mailboxes: Mailboxes,
    senders: Senders,
    { bundles, asks }: { readonly bundles: Bundles; readonly asks: Asks },
  ) {
    this.#context = context;
    this.#mailboxes = mailboxes;
    this.#senders = senders;
    const budget = new CreditBudget(context.limits);
    this.#budget = budget;
    context.sizes.watchBound({
      what: 'credit',
      unit: 'bytes',
      limit: () => context.limits.credit,
      used: () => budget.outstanding,
    });
    this.#small = new SmallOffers(context, bundles, asks);
  }

  /** Ends only with the signal or when the adapter is closed. */
  async *take(limit: number, signal: AbortSignal): AsyncGenerator<InboundOffer> {
    const left = new AbortController();
    const until = AbortSignal.any([signal, this.#context.closed, left.signal]);
    if (until.aborted) return;
    const slots = new SenderSlots(limit);
    this.#context.sizes.watchBound({
      what: 'columns',
      unit: 'items',
      limit: () => slots.limit,
      used: () => slots.used,
    });
    const arrived = new Arrivals<InboundOffer>();
    const waiting = new Set<InboundOffer>();
    const give = (offer: InboundOffer) => {
      waiting.add(offer);
      arrived.push(offer);
    };
    const stop = this.#senders.each((from) => void this.#read(from, slots, give, until));
    this.#small.take(slots, give, until);
    until.addEventListener('abort', () => arrived.end(), { once: true });
    try {
      for await (const offer of arrived) {
        waiting.delete(offer);
        yield offer;
      }
    } finally {
      stop();
      left.abort();
      await Promise.all([...waiting].map((offer) => offer.postpone(0)));
    }
  }

  /** Returns all held offers at once, so that another node can take them. */
  async release(): Promise<void> {
    await Promise.all([this.#small.release(), ...[...this.#held.values()].map((offer) => offer.postpone(0))]);
  }

  async #read(
    from: number,
    slots: SenderSlots,
    give: (offer: HeldOffer) => void,
    until: AbortSignal,
  ): Promise<void> {
    while (!until.aborted) {
      try {
        const consumer = await orAborted(this.#mailboxes.offers(from), until);
        for await (const message of this.#messages(consumer, from, slots, until)) {
          const offer = await this.#check(message, from, slots);
          if (!offer) continue;
          if (until.aborted) await offer.postpone(0);
          else give(offer);
        }
      } catch (error) {
        if (until.aborted) return;
        this.#context.log.warn({ error: toSealionError(error), from }, 'cannot read offers; trying again');
        await sleep(RETRY_MS, undefined, { signal: until }).catch(() => undefined);
      }
    }
  }

  /** One offer at a time, and only while there is room: others stay for other nodes. */
  async *#messages(
    consumer: Consumer,
    from: number,
    slots: SenderSlots,
    until: AbortSignal,
  ): AsyncGenerator<JsMsg> {
    while (!until.aborted) {
      await this.#context.senderLimits.untilAllowed(from, until);
      await slots.untilFree(from, until);
      const pulled = await consumer.fetch({
        max_messages: 1,
        expires: PULL_MS,
        idle_heartbeat: HEARTBEAT_MS,
      });
      const stop = () => pulled.stop();
      until.addEventListener('abort', stop, { once: true });
      if (until.aborted) stop();
      try {
        for await (const message of pulled) yield message;
      } finally {
        until.removeEventListener('abort', stop);
      }
    }
  }

  async #check(message: JsMsg, from: number, slots: SenderSlots): Promise<HeldOffer | undefined> {
    const { senderLimits } = this.#context;
    const held = this.#held.get(message.subject);
    if (held?.sequence === message.seq) {
      held.redelivered(message);
      return undefined;
    }
    const control = await this.#open(message, from);
    if (!control) return undefined;
    // repeated endlessly, it would keep us busy for nothing
    if (held) senderLimits.charge(from);
    held?.supersede();
    slots.take(from);
    const offer = new HeldOffer(this.#context, this.#budget, message, control, () => {
      if (this.#held.get(message.subject) === offer) this.#held.delete(message.subject);
      slots.release(from);
    });
    this.#held.set(message.subject, offer);
    const fault = approvalFault(this.#context.codec, offer.offer);
    if (!fault) return offer;
    senderLimits.charge(from);
    await offer.refuse(fault).catch((error: unknown) => {
      senderLimits.rejected(from, error, 'could not refuse an offer');
      return offer.postpone(RETRY_MS);
    });
    return undefined;
  }

  /** A forged, stale or inconsistent offer is removed; one that we cannot check now is redelivered. */
  async #open(message: JsMsg, from: number): Promise<ControlMessage<'offer'> | undefined> {
    try {
      const column = parseMailSubject(message.subject);
      if (!column) throw malformedOffer(`its subject is ${message.subject}`);
      const { job, redundancyIndex } = column;
      const control = await this.#context.codec.open(message.data, { kinds: ['offer'], from });
      if (!sameJob(control.job, job) || control.redundancyIndex !== redundancyIndex) {
        throw malformedOffer('it names another column than its subject');
      }
      checkPlace(planPayload(control.body), redundancyIndex);
      return control;
    } catch (error) {
      const known = toSealionError(error);
      this.#context.senderLimits.rejected(from, known, 'rejected an invalid offer');
      if (known.kind === 'terminal') message.term();
      else message.nak(UNCHECKED_MS);
      return undefined;
    }
  }
}
