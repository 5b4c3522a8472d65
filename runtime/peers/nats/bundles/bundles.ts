import type { Msg, Subscription } from '@nats-io/nats-core';
import { Terminal, toSealionError } from '#protocols/errors';
import { sameJob } from '#protocols/job/identity';
import {
  type BundleHeader,
  type Letter,
  letterBytes,
  MAX_BUNDLE_BYTES,
  MAX_LETTERS,
} from '#protocols/replication/bundle';
import type { LetterKind } from '#protocols/replication/letters';
import { orAborted } from '#runtime/async/or-aborted';
import { askAgain } from '#runtime/nats/ask-again';
import { natsError } from '#runtime/nats/errors';
import { answer, checkReply } from '../answer.ts';
import type { PeerContext } from '../context.ts';
import { HEADER_ROOM } from '../limits.ts';
import { ReplayGuard } from '../replays.ts';
import { bundleSender, bundleSubject, newToken } from '../subjects.ts';
import { traceHeaders, tracesOf } from '../trace-headers.ts';
import { Lane } from './lane.ts';

/** A letter that answers another. */
export type AnswerLetter = Letter<'receipt' | 'refusal' | 'standing-approval'>;

type Handler = (letter: Letter, bundle: BundleHeader) => void | Promise<void>;

/** How long a bundle is valid, ms: it is read at once, or when there is room for its letters. */
const LIFETIME_MS = 120_000;
/** How long to wait until the receiver confirms a bundle, ms: the permission to answer lasts a minute. */
const TAKEN_MS = 30_000;
/**
 * When an unconfirmed bundle is sent again, ms after the time before. It may have been lost, and the letters after it
 * wait; but a receiver without room is late too.
 */
const AGAIN_MS = [3_000, 6_000, 12_000];
/** Maximum number of unread bundles of one SP; each of its nodes sends one at a time. */
const UNREAD = 8;
/** Nonces kept per SP: more than the bundles that it sends during the validity of one. */
const BUNDLES_PER_SP = 20_000;
/** Maximum number of letters that wait for one SP. */
const WAITING = 10_000;
/**
 * A bundle waits for the columns of jobs that start together, and for the receipts for them, until none has come for so
 * long, and for how long at most; ms.
 */
const GATHER_MS = 20;
const MAX_GATHER_MS = 150;

/**
 * Exchanges short messages with other SPs in bundles: all letters to the same SP at the same time form one message with
 * one signature, over core NATS. A bundle may be lost with all its letters, so requests must be repeated.
 */
export class Bundles {
  readonly #context: PeerContext;
  /** Token of the subject on which this node receives answers. */
  readonly #token = newToken();
  readonly #lanes = new Map<string, Lane<Letter>>();
  readonly #heard = new ReplayGuard(BUNDLES_PER_SP);
  /** By the nonce of the letter that is being answered. */
  readonly #expected = new Map<string, (answer: AnswerLetter, from: number) => boolean>();
  /** Traceparents of the letters that are traced. */
  readonly #traces = new WeakMap<Letter, string>();
  #answers: Subscription | undefined;

  constructor(context: PeerContext) {
    this.#context = context;
  }

  /** Receives answers from now on, until `stop`. */
  start(): void {
    this.#answers = this.#subscribe(this.#token, (letter, { from }) => this.#hearAnswer(letter, from));
  }

  stop(): void {
    this.#answers?.unsubscribe();
  }

  /**
   * Sends a letter with the next bundle for a place: a channel that all nodes of an SP share, or the token of one node.
   * @param onLost called when the letter may not have arrived
   */
  post(to: number, place: string, letter: Letter, onLost: (error: unknown) => void): void {
    const subject = bundleSubject(to, this.#context.spId, place);
    const lane = this.#lanes.get(subject) ?? this.#lane(to, subject);
    this.#lanes.set(subject, lane);
    lane.post(letter, letterBytes(letter), onLost);
  }

  /** Sends a traceparent along with a letter, in a header of its bundle. */
  setTrace(letter: Letter, traceparent: string): void {
    this.#traces.set(letter, traceparent);
  }

  /** The traceparent that came with a letter. */
  traceOf(letter: Letter): string | undefined {
    return this.#traces.get(letter);
  }

  /** Removes a letter that has not been sent yet. */
  withdraw(to: number, place: string, letter: Letter): void {
    this.#lanes.get(bundleSubject(to, this.#context.spId, place))?.withdraw(letter);
  }

  /**
   * Receives the answers of an SP to a letter, until the returned function is called. Answers about another column are
   * ignored.
   */
  expect(letter: Letter, from: number, hear: (answer: AnswerLetter) => void): () => void {
    this.#expected.set(letter.nonce, (given, sender) => {
      if (sender !== from || !isAbout(given, letter)) return false;
      hear(given);
      return true;
    });
    return () => this.#expected.delete(letter.nonce);
  }

  /**
   * Receives bundles of others on a channel, shared by the nodes of this SP. A bundle is confirmed when all its letters
   * are handled, so that its sender is not faster than we are.
   * @returns a function that ends it
   */
  hear(channel: string, handle: Handler): () => void {
    const subscription = this.#subscribe(channel, handle, `${channel}-of-${this.#context.spId}`);
    return () => subscription.unsubscribe();
  }

  #lane(to: number, subject: string): Lane<Letter> {
    const { connection, codec, closed } = this.#context;
    const room = (connection.info?.max_payload ?? MAX_BUNDLE_BYTES) - HEADER_ROOM;
    const limits = {
      letters: MAX_LETTERS,
      bytes: Math.min(MAX_BUNDLE_BYTES - HEADER_ROOM, room),
      waiting: WAITING,
      gatherMs: GATHER_MS,
      maxGatherMs: MAX_GATHER_MS,
    };
    const deliver = async (letters: readonly Letter[]) => {
      try {
        const expiresAt = Date.now() + LIFETIME_MS;
        const bytes = await codec.sealBundle({ to, answerTo: this.#token, expiresAt }, letters);
        const traces = letters.map((letter) => this.#traces.get(letter));
        const headers = traces.some((trace) => trace !== undefined) ? traceHeaders(traces) : undefined;
        const send = (timeout: number) =>
          connection.request(subject, bytes, { timeout, ...(headers && { headers }) });
        const limits = { limitMs: TAKEN_MS, againMs: AGAIN_MS };
        await orAborted(askAgain(connection, send, limits), closed);
      } catch (error) {
        throw natsError(error, `sending to SP ${to}`, 'peer-unreachable');
      }
    };
    return new Lane<Letter>(limits, deliver, () => this.#lanes.delete(subject));
  }

  #subscribe(place: string, handle: Handler, queue?: string): Subscription {
    const { connection, spId, log } = this.#context;
    const unread = new Map<number, Msg[]>();
    return connection.subscribe(bundleSubject(spId, '*', place), {
      ...(queue !== undefined && { queue }),
      callback: (error, message) => {
        if (error) log.error({ error: natsError(error, 'hearing bundles') }, 'could not receive bundles');
        else this.#take(message, unread, handle);
      },
    });
  }

  /** Reads the bundles of one SP one after another, so that a busy sender delays only itself. */
  #take(message: Msg, unread: Map<number, Msg[]>, handle: Handler): void {
    // The server lets nobody publish under the name of another SP.
    const from = bundleSender(message.subject);
    if (from === undefined || !this.#context.senderLimits.allows(from)) return;
    const queue = unread.get(from);
    if (!queue) {
      const own = [message];
      unread.set(from, own);
      void this.#readAll(from, own, handle).finally(() => unread.delete(from));
    } else if (queue.length < UNREAD) queue.push(message);
  }

  async #readAll(from: number, queue: Msg[], handle: Handler): Promise<void> {
    for (let next = queue.shift(); next; next = queue.shift()) await this.#read(next, from, handle);
  }

  async #read(message: Msg, from: number, handle: Handler): Promise<void> {
    const { codec, senderLimits } = this.#context;
    try {
      const bundle = await codec.openBundle(message.data, from);
      checkReply(message, from);
      if (this.#heard.has(from, bundle.nonce)) {
        // Sent again: its letters have been handled, and the confirmation came too late or was lost.
        senderLimits.charge(from);
        answer(message, from);
        return;
      }
      if (!this.#heard.admit(from, bundle.nonce, bundle.expiresAt, Date.now())) throw tooMany();
      const traces = tracesOf(message.headers);
      for (const [i, opened] of bundle.letters.entries()) {
        if (!senderLimits.allows(from)) return;
        try {
          if ('fault' in opened) throw opened.fault;
          const trace = traces[i];
          if (trace !== undefined) this.#traces.set(opened.letter, trace);
          await handle(opened.letter, bundle);
        } catch (error) {
          senderLimits.rejected(from, error, 'rejected a letter');
        }
      }
      answer(message, from);
    } catch (error) {
      senderLimits.rejected(from, toSealionError(error), 'rejected a bundle');
    }
  }

  #hearAnswer(letter: Letter, from: number): void {
    if (!isAnswer(letter)) throw wrongKind(letter.kind);
    const hears = this.#expected.get(letter.body.re);
    // A late answer is not an error, but the number of such answers must be limited.
    if (!hears?.(letter, from)) this.#context.senderLimits.charge(from);
  }
}

function isAnswer(letter: Letter): letter is AnswerLetter {
  return ['receipt', 'refusal', 'standing-approval'].includes(letter.kind);
}

function isAbout(answer: Letter, { job, gvgId, redundancyIndex }: Letter): boolean {
  return sameJob(answer.job, job) && answer.gvgId === gvgId && answer.redundancyIndex === redundancyIndex;
}

/** A letter of a kind that is not expected here. */
export function wrongKind(kind: LetterKind): Terminal {
  return new Terminal({
    code: 'control-wrong-kind',
    message: `A letter of kind "${kind}" is not heard here.`,
  });
}

function tooMany(): Terminal {
  return new Terminal({ code: 'too-many-bundles', message: 'Its sender sends too many bundles.' });
}
