import { setMaxListeners } from 'node:events';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { createInbox, type Msg } from '@nats-io/nats-core';
import { MAX_CONTROL_LIFETIME_MS } from '#protocols/control/checks';
import { type ControlSubject, EVERYBODY } from '#protocols/control/header';
import { Terminal, throwIfAborted } from '#protocols/errors';
import type { JobId } from '#protocols/job/identity';
import type { Letter } from '#protocols/replication/bundle';
import { peersInbox } from '../../nats/accounts.ts';
import { natsError } from '../../nats/errors.ts';
import type { ApprovalAnswer, ApprovalAsk, PeerHost, PeerOptions } from '../peers.ts';
import { answer, checkReply } from './answer.ts';
import type { AnswerLetter } from './bundles/bundles.ts';
import type { PeerContext } from './context.ts';
import { STANDING } from './limits.ts';
import { ReplayGuard } from './replays.ts';
import { SenderSlots } from './sender-slots.ts';
import type { HeldApprovals } from './standing/held.ts';
import { ASKS, askSubject, lastToken, newToken } from './subjects.ts';
import { traceHeaders, tracesOf } from './trace-headers.ts';

/** Asks answered concurrently, with a share per requester; more are ignored, and retried by their senders. */
const AT_ONCE = 64;

/**
 * When SPs that have not answered are asked again, ms after the time before: nats-server 2.9 gives a server of its
 * cluster that hangs its share of the asks, for as long as it hangs.
 */
const AGAIN_MS = [2_500, 3_500];

/** Status of the message that stands in for an answer when nobody listens. */
const NOBODY_LISTENS = 503;

/** Nonces kept per requester: more than the asks that an SP sends during the validity of one. */
const ASKS_PER_SP = 1_000;

type Answer = Parameters<PeerHost['serveAsks']>[0];

/** What one ask is sent with, each time. */
interface Question {
  readonly expiresAt: number;
  /** Where answers go. */
  readonly inbox: string;
  /** Of all times that it was sent. */
  readonly nonces: Set<string>;
}

/** GetApproval: a broadcast; each listed SP answers into the inbox of the requester. */
export class Asks {
  readonly #context: PeerContext;
  readonly #approvals: HeldApprovals;
  /** While asks are answered. */
  #decide: ((ask: ApprovalAsk) => ReturnType<Answer>) | undefined;
  readonly #heard = new ReplayGuard(ASKS_PER_SP);

  constructor(context: PeerContext, approvals: HeldApprovals) {
    this.#context = context;
    this.#approvals = approvals;
  }

  async *ask(
    ask: ApprovalAsk,
    options: PeerOptions & { readonly timeoutMs: number },
  ): AsyncGenerator<ApprovalAnswer> {
    const { connection, spId, closed } = this.#context;
    const signals = [options.signal, closed];
    for (const signal of signals) throwIfAborted(signal);
    const held = this.#approvals.answers(ask);
    if (held) {
      yield* held;
      // Whoever has what it needs ends the ask before anybody is asked.
      await turn();
      for (const signal of signals) throwIfAborted(signal);
    }
    const awaited = new Set(ask.groups.flatMap((group) => group.secondarySpIds));
    const expiresAt = Date.now() + options.timeoutMs;
    const nonces = new Set<string>();
    const inbox = createInbox(peersInbox(spId));
    const answers = connection.subscribe(inbox);
    const stop = () => answers.unsubscribe();
    const timer = setTimeout(stop, options.timeoutMs);
    const over = new AbortController();
    for (const signal of signals) {
      signal?.addEventListener('abort', stop, { once: true });
      if (signal?.aborted) stop();
    }
    try {
      await this.#publish(ask, { expiresAt, inbox, nonces });
      void this.#repeat(ask, { expiresAt, inbox, nonces }, over.signal);
      for await (const message of answers) {
        const answer = await this.#open(message, ask, nonces);
        if (!answer || !awaited.delete(answer.spId)) continue;
        yield answer;
        if (awaited.size === 0) break;
      }
      for (const signal of signals) throwIfAborted(signal);
    } catch (error) {
      throw natsError(error, 'asking for approvals');
    } finally {
      clearTimeout(timer);
      over.abort();
      stop();
      for (const signal of signals) signal?.removeEventListener('abort', stop);
    }
  }

  /** Asks all. The nonce of the question is added to those that are expected in answers. */
  async #publish(ask: ApprovalAsk, { expiresAt, inbox, nonces }: Question): Promise<void> {
    const { connection, codec, spId } = this.#context;
    const { job, primarySpId: _, standing: __, trace, ...terms } = ask;
    const groups = ask.groups.map(({ gvgId, secondarySpIds }) => ({
      gvgId,
      secondarySpIds: [...secondarySpIds],
    }));
    const body = { ...terms, groups };
    const about = aboutAll(job);
    const { bytes, nonce } = await codec.seal({ kind: 'ask', to: EVERYBODY, about, expiresAt, body });
    nonces.add(nonce);
    connection.publish(askSubject(spId), bytes, {
      reply: inbox,
      ...(trace !== undefined && { headers: traceHeaders([trace]) }),
    });
  }

  /** Asks again until the signal fires. An SP that is asked twice gives the same place again. */
  async #repeat(ask: ApprovalAsk, question: Question, over: AbortSignal): Promise<void> {
    try {
      for (const pause of AGAIN_MS) {
        await sleep(pause, undefined, { signal: over });
        await this.#publish(ask, question);
      }
    } catch (error) {
      if (!over.aborted) this.#context.log.debug({ error }, 'could not ask for approvals again');
    }
  }

  /** Answers until the signal fires, then waits for answers in progress. The nodes of one SP share the asks. */
  async serve(decide: Answer, signal: AbortSignal): Promise<void> {
    const { connection, spId, closed, senderLimits, sizes } = this.#context;
    const slots = new SenderSlots(AT_ONCE);
    sizes.watchBound({ what: 'asks', unit: 'items', limit: () => slots.limit, used: () => slots.used });
    const until = AbortSignal.any([signal, closed]);
    if (until.aborted) return;
    // Every answer in progress may listen.
    setMaxListeners(0, until);
    this.#decide = (ask) => decide(ask, until);
    const asks = connection.subscribe(ASKS, { queue: `approvers-of-${spId}` });
    until.addEventListener('abort', () => asks.unsubscribe(), { once: true });
    const running = new Set<Promise<void>>();
    try {
      for await (const message of asks) {
        // the server does not let an SP publish under the name of another
        const from = Number(lastToken(message.subject));
        if (!senderLimits.allows(from) || !slots.hasFree(from)) continue;
        slots.take(from);
        const answering = this.#answer(message, from, decide, until).finally(() => {
          slots.release(from);
          running.delete(answering);
        });
        running.add(answering);
      }
    } catch (error) {
      throw natsError(error, 'subscribing to asks');
    } finally {
      this.#decide = undefined;
      await Promise.all(running);
    }
  }

  /** Decides on room for small columns as on an ask, while asks are answered. */
  async answerStanding(letter: Letter<'standing-ask'>, from: number): Promise<AnswerLetter> {
    const { job, gvgId, redundancyIndex, nonce, body } = letter;
    const { columns, secondarySpIds, ...terms } = body;
    const about = { job, gvgId, redundancyIndex };
    const ask = { ...terms, job, primarySpId: from, groups: [{ gvgId, secondarySpIds }] };
    const given = await this.#decide?.({ ...ask, standing: { columns } });
    const place = given?.granted.find((grant) => grant.redundancyIndex === redundancyIndex);
    const { code, reason } = given?.refused[0] ?? { code: 'draining', reason: 'No asks are answered.' };
    if (!given || !place) {
      const refusal = { re: nonce, read: false, code, reason, again: true };
      return { kind: 'refusal', nonce: newToken(), ...about, body: refusal };
    }
    const approval = await this.#context.codec.seal({
      kind: 'standing-approval',
      to: from,
      about,
      expiresAt: Math.min(given.expiresAt, Date.now() + STANDING.lifetimeMs),
      body: { re: nonce, columns },
    });
    const message = Buffer.from(approval.bytes).toString('base64');
    return { kind: 'standing-approval', nonce: newToken(), ...about, body: { re: nonce, approval: message } };
  }

  async #answer(message: Msg, from: number, decide: Answer, signal: AbortSignal): Promise<void> {
    const { codec, spId, senderLimits } = this.#context;
    try {
      const control = await codec.open(message.data, { kinds: ['ask'], to: EVERYBODY, from });
      const { body, job, nonce } = control;
      if (from === spId || !body.groups.some((group) => group.secondarySpIds.includes(spId))) return;
      checkReply(message, from);
      if (!this.#heard.admit(from, nonce, control.expiresAt, Date.now()))
        throw notTaken('ask-repeated', 'The ask is a repetition, or its sender asks too often.');
      const [trace] = tracesOf(message.headers);
      const ask = { ...body, job, primarySpId: from, ...(trace !== undefined && { trace }) };
      const given = await decide(ask, signal);
      if (!given) return;
      const { expiresAt, granted, refused } = given;
      const approval = await codec.seal({
        kind: 'approval',
        to: from,
        about: control,
        expiresAt: Math.min(expiresAt, Date.now() + MAX_CONTROL_LIFETIME_MS),
        body: { re: nonce, granted: [...granted], refused: [...refused] },
      });
      answer(message, from, approval.bytes);
    } catch (error) {
      senderLimits.rejected(from, error, 'rejected an ask');
    }
  }

  /** Undefined for a message that is not an answer to this ask. */
  async #open(
    message: Msg,
    ask: ApprovalAsk,
    nonces: ReadonlySet<string>,
  ): Promise<ApprovalAnswer | undefined> {
    if (message.headers?.code === NOBODY_LISTENS) return undefined;
    const { codec, senderLimits } = this.#context;
    try {
      const expected = { kinds: ['approval'], about: aboutAll(ask.job) } as const;
      const { body, from, expiresAt } = await codec.open(message.data, expected);
      if (!nonces.has(body.re)) throw notTaken('approval-unasked', 'The approval belongs to another ask.');
      for (const { gvgId, redundancyIndex } of body.granted) {
        const group = ask.groups.find((asked) => asked.gvgId === gvgId);
        if (group?.secondarySpIds[redundancyIndex] !== from)
          throw notTaken(
            'approval-unasked',
            'The approval is for a membership that its sender does not have.',
          );
      }
      const { granted, refused } = body;
      return {
        spId: from,
        expiresAt,
        granted,
        refused,
        message: Buffer.from(message.data).toString('base64'),
      };
    } catch (error) {
      senderLimits.rejectedUnnamed(error, 'rejected an answer to an ask');
      return undefined;
    }
  }
}

/** An ask is about several groups and indexes. */
function aboutAll(job: JobId): ControlSubject {
  return { job, gvgId: 0, redundancyIndex: 0 };
}

function notTaken(code: string, message: string): Terminal {
  return new Terminal({ code, message });
}
