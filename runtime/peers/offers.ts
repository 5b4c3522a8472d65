import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer, JsMsg } from '@nats-io/jetstream';
import { type Deferred, deferred } from '@nats-io/nats-core';
import { Terminal, toSealionError } from '../../protocols/errors.ts';
import { sameJob } from '../../protocols/job/identity.ts';
import { planPayload } from '../../protocols/payload/plan.ts';
import type { ControlMessage } from '../../protocols/replication/control-message.ts';
import { orAborted } from '../nats/abortable.ts';
import type { PeerContext } from './context.ts';
import { CreditBudget } from './credit-budget.ts';
import { HeldOffer } from './held-offer.ts';
import type { Mailboxes } from './mailboxes.ts';
import type { InboundOffer, Refusal } from './peers.ts';
import { parseMailSubject } from './subjects.ts';

const PULL_MS = 30_000;
const RETRY_MS = 1_000;
/** When we cannot check an offer now, for example because the chain does not answer. */
const UNCHECKED_MS = 5_000;

/** Takes offers out of our mailbox. */
export class Offers {
  readonly #context: PeerContext;
  readonly #mailboxes: Mailboxes;
  readonly #budget: CreditBudget;
  /** By mail subject: one for each column. */
  readonly #held = new Map<string, HeldOffer>();
  #freed: Deferred<void> = deferred();

  constructor(context: PeerContext, mailboxes: Mailboxes) {
    this.#context = context;
    this.#mailboxes = mailboxes;
    this.#budget = new CreditBudget(context.limits);
  }

  async *take(limit: number, signal: AbortSignal): AsyncGenerator<InboundOffer> {
    const until = AbortSignal.any([signal, this.#context.closed]);
    while (!until.aborted) {
      try {
        const consumer = await this.#mailboxes.offers();
        for await (const message of this.#messages(consumer, limit, until)) {
          const offer = await this.#check(message);
          if (offer) yield offer;
        }
      } catch (error) {
        this.#context.log.warn({ error: toSealionError(error) }, 'reading offers failed; trying again');
        await sleep(RETRY_MS, undefined, { signal: until }).catch(() => undefined);
      }
    }
  }
  /** Gives all held offers back at once, so that another node has them. */
  async release(): Promise<void> {
    await Promise.all([...this.#held.values()].map((offer) => offer.postpone(0)));
  }

  /** One at a time, and only while fewer than `limit` are held: what we cannot begin stays for other nodes. */
  async *#messages(consumer: Consumer, limit: number, until: AbortSignal): AsyncGenerator<JsMsg> {
    while (!until.aborted) {
      if (this.#held.size >= limit) {
        this.#freed = deferred();
        await orAborted(this.#freed, until).catch(() => undefined);
        continue;
      }
      const pulled = await consumer.fetch({ max_messages: 1, expires: PULL_MS });
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

  async #check(message: JsMsg): Promise<HeldOffer | undefined> {
    const held = this.#held.get(message.subject);
    if (held?.sequence === message.seq) {
      held.redelivered(message);
      return undefined;
    }
    const control = await this.#open(message);
    if (!control) return undefined;
    held?.supersede();
    const offer = new HeldOffer(this.#context, this.#budget, message, control, () => {
      if (this.#held.get(message.subject) === offer) this.#held.delete(message.subject);
      this.#freed.resolve();
    });
    this.#held.set(message.subject, offer);
    const fault = this.#approvalFault(offer);
    if (!fault) return offer;
    await offer.refuse(fault).catch((error: unknown) => {
      this.#context.log.warn({ error: toSealionError(error) }, 'an offer could not be refused');
      return offer.postpone(RETRY_MS);
    });
    return undefined;
  }

  /** A forged, stale or senseless offer goes for good; one that we cannot check now comes again. */
  async #open(message: JsMsg): Promise<ControlMessage<'offer'> | undefined> {
    try {
      const column = parseMailSubject(message.subject);
      if (!column) throw malformed(`its subject is ${message.subject}`);
      const { from, job, redundancyIndex } = column;
      const control = await this.#context.desk.open(message.data, { kinds: ['offer'], from });
      if (!sameJob(control.job, job) || control.redundancyIndex !== redundancyIndex) {
        throw malformed('it names another column than its subject');
      }
      const plan = planPayload(control.body);
      if (redundancyIndex >= plan.columnCount) throw malformed(`there is no column ${redundancyIndex}`);
      const inline = control.body.column;
      if (inline !== undefined && Buffer.from(inline, 'base64').length !== plan.columnLength) {
        throw malformed('the column in it has the wrong length');
      }
      return control;
    } catch (error) {
      const known = toSealionError(error);
      this.#context.log.warn({ error: known, subject: message.subject }, 'an offer was not taken');
      if (known.kind === 'terminal') message.term();
      else message.nak(UNCHECKED_MS);
      return undefined;
    }
  }

  /** Undefined when the offer carries our approval of this very place. */
  #approvalFault({ offer }: HeldOffer): Refusal | undefined {
    try {
      this.#context.desk.checkApproval(offer);
      return undefined;
    } catch (error) {
      const { code, message } = toSealionError(error);
      return { code, reason: message, again: true };
    }
  }
}

function malformed(why: string): Terminal {
  return new Terminal({ code: 'offer-malformed', message: `The offer makes no sense: ${why}.` });
}
