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
import { natsError } from '#runtime/nats/errors';
import { answer, checkReply } from '../answer.ts';
import type { PeerContext } from '../context.ts';
import { HEADER_ROOM } from '../limits.ts';
import { ReplayGuard } from '../replays.ts';
import { bundleSender, bundleSubject, newToken } from '../subjects.ts';
import { Lane } from './lane.ts';

/** A letter that answers another. */
export type AnswerLetter = Letter<'receipt' | 'refusal'>;

type Handler = (letter: Letter, bundle: BundleHeader) => void | Promise<void>;

/** How long a bundle is valid, ms: it is read at once, or when there is room for what is in it. */
const LIFETIME_MS = 120_000;
/** How long its receiver may take to say that it has it, ms: the right to answer lasts a minute. */
const TAKEN_MS = 30_000;
/** Bundles of one SP that wait to be read; it sends one at a time from each of its nodes. */
const UNREAD = 8;
/** Nonces kept of one SP: more bundles than it sends in the life of one. */
const BUNDLES_PER_SP = 20_000;
/** Letters that wait for one SP. */
const WAITING = 10_000;

/**
 * Short messages between this SP and the others, bundled: what goes to the same SP at the same time is one message
 * with one signature, over core NATS. A bundle may be lost, and with it all that is in it: whoever asks, asks again.
 */
export class Bundles {
  readonly #context: PeerContext;
  /** Where this node hears answers. */
  readonly #token = newToken();
  readonly #lanes = new Map<string, Lane<Letter>>();
  readonly #heard = new ReplayGuard(BUNDLES_PER_SP);
  /** By the nonce of the letter that was sent. */
  readonly #expected = new Map<string, (answer: AnswerLetter, from: number) => boolean>();
  #answers: Subscription | undefined;

  constructor(context: PeerContext) {
    this.#context = context;
  }

  /** Hears answers from now on, until `stop`. */
  start(): void {
    this.#answers = this.#subscribe(this.#token, (letter, { from }) => this.#hearAnswer(letter, from));
  }

  stop(): void {
    this.#answers?.unsubscribe();
  }

  /**
   * Sends a letter with the next bundle for a place: a channel that all nodes of an SP share, or where one of its
   * nodes hears answers.
   * @param onLost told when it may not have arrived
   */
  post(to: number, place: string, letter: Letter, onLost: (error: unknown) => void): void {
    const subject = bundleSubject(to, this.#context.spId, place);
    const lane = this.#lanes.get(subject) ?? this.#lane(to, subject);
    this.#lanes.set(subject, lane);
    lane.post(letter, letterBytes(letter), onLost);
  }

  /** Keeps a letter that still waits from being sent. */
  withdraw(to: number, place: string, letter: Letter): void {
    this.#lanes.get(bundleSubject(to, this.#context.spId, place))?.withdraw(letter);
  }

  /**
   * Hears the answers of an SP to a letter, until the returned function is called. Only what is about the same column
   * counts.
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
   * Hears what others send on a channel; our nodes share it. A bundle counts as taken when all its letters are
   * handled, so that its sender sends no faster than we work.
   * @returns ends it
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
    };
    const deliver = async (letters: readonly Letter[]) => {
      try {
        const expiresAt = Date.now() + LIFETIME_MS;
        const bytes = await codec.sealBundle({ to, answerTo: this.#token, expiresAt }, letters);
        await orAborted(connection.request(subject, bytes, { timeout: TAKEN_MS }), closed);
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

  /** Those of one SP are read in turn: who sends much waits for itself. */
  #take(message: Msg, unread: Map<number, Msg[]>, handle: Handler): void {
    // the server lets nobody publish under the name of another
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
      if (!this.#heard.admit(from, bundle.nonce, bundle.expiresAt, Date.now())) throw repeated();
      for (const opened of bundle.letters) {
        if (!senderLimits.allows(from)) return;
        try {
          if ('fault' in opened) throw opened.fault;
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
    // one that comes too late is not an error, but there must not be endlessly many
    if (!hears?.(letter, from)) this.#context.senderLimits.charge(from);
  }
}

function isAnswer(letter: Letter): letter is AnswerLetter {
  return letter.kind === 'receipt' || letter.kind === 'refusal';
}

function isAbout(answer: Letter, { job, gvgId, redundancyIndex }: Letter): boolean {
  return sameJob(answer.job, job) && answer.gvgId === gvgId && answer.redundancyIndex === redundancyIndex;
}

/** A letter that has no business where it came. */
export function wrongKind(kind: LetterKind): Terminal {
  return new Terminal({
    code: 'control-wrong-kind',
    message: `A letter of kind "${kind}" is not heard here.`,
  });
}

function repeated(): Terminal {
  return new Terminal({
    code: 'bundle-repeated',
    message: 'The bundle was heard before, or its sender sends too many.',
  });
}
