import { Retryable, Terminal, throwIfAborted } from '#protocols/errors';
import type { Hex } from '#protocols/greenfield/types';
import type { Receipt } from '#protocols/job/context';
import { type PayloadPlan, planPayload } from '#protocols/payload/plan';
import type { BundleHeader, Letter } from '#protocols/replication/bundle';
import type {
  ColumnOffer,
  InboundOffer,
  InboundPiece,
  InboundSession,
  OfferRefusal,
  PeerOptions,
} from '../../peers.ts';
import type { PeerContext } from '../context.ts';
import { newToken } from '../subjects.ts';
import type { AnswerLetter, Bundles } from './bundles.ts';

export interface SmallOfferOptions {
  readonly context: PeerContext;
  readonly bundles: Bundles;
  readonly letter: Letter<'column'>;
  readonly bundle: BundleHeader;
  readonly onSettled: () => void;
}

/** The secondary's side of a small column: its bytes came with the offer, and one answer ends it. */
export class SmallOffer implements InboundOffer {
  readonly offer: ColumnOffer;
  readonly carriesColumn = true;
  readonly #options: SmallOfferOptions;
  readonly #plan: PayloadPlan;
  #read = false;
  #settled = false;

  constructor(options: SmallOfferOptions) {
    const { letter, bundle, bundles, context } = options;
    const trace = bundles.traceOf(letter);
    const { job, gvgId, redundancyIndex, body } = letter;
    this.#options = options;
    const about = { job, gvgId, redundancyIndex, from: bundle.from, to: context.spId };
    this.offer = { ...body, ...about, ...(trace !== undefined && { trace }) };
    this.#plan = planPayload(body);
  }

  /** Nonce of the letter: the same letter may be repeated while it is being handled. */
  get nonce(): string {
    return this.#options.letter.nonce;
  }

  async accept(firstMissing: number): Promise<InboundSession> {
    if (this.#settled) throw settled();
    if (!Number.isInteger(firstMissing) || firstMissing < 0 || firstMissing > this.#plan.segmentCount) {
      throw new Terminal({
        code: 'bad-segment-index',
        message: `The column cannot be wanted from segment ${firstMissing} of ${this.#plan.segmentCount} on.`,
      });
    }
    this.#read = true;
    const column = this.#options.letter.attachment ?? new Uint8Array();
    return new SmallSession(this.#plan, firstMissing, column, this.offer.checksums);
  }

  async receipt({ integrityHash, approvalSignature, blsSignature }: Receipt): Promise<void> {
    const body = { re: this.nonce, integrityHash, approvalSignature, blsSignature };
    this.#answer({ kind: 'receipt', ...this.#about(), body });
  }

  async refuse(refusal: OfferRefusal): Promise<void> {
    const body = { re: this.nonce, read: this.#read, ...refusal };
    this.#answer({ kind: 'refusal', ...this.#about(), body });
  }

  /** The primary repeats the offer, and a node with room accepts it. */
  async postpone(): Promise<void> {
    this.#settle();
  }

  /** A newer offer for the same column has replaced this one. */
  supersede(): void {
    this.#settle();
  }

  /** A lost answer is repeated when the primary repeats its offer. */
  #answer(letter: AnswerLetter): void {
    if (this.#settled) return;
    const { bundles, bundle, context } = this.#options;
    const { from, answerTo } = bundle;
    bundles.post(from, answerTo, letter, (error) => {
      if (context.closed.aborted) return;
      context.senderLimits.rejected(from, error, 'an answer may not have arrived');
    });
    this.#settle();
  }

  #about(): Pick<Letter, 'nonce' | 'job' | 'gvgId' | 'redundancyIndex'> {
    const { job, gvgId, redundancyIndex } = this.offer;
    return { nonce: newToken(), job, gvgId, redundancyIndex };
  }

  #settle(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#options.onSettled();
  }
}

/** A column of which all bytes have arrived. */
class SmallSession implements InboundSession {
  readonly #plan: PayloadPlan;
  readonly #firstMissing: number;
  readonly #column: Uint8Array;
  readonly #checksums: readonly Hex[];

  constructor(plan: PayloadPlan, firstMissing: number, column: Uint8Array, checksums: readonly Hex[]) {
    this.#plan = plan;
    this.#firstMissing = firstMissing;
    this.#column = column;
    this.#checksums = checksums;
  }

  async *pieces(options: PeerOptions = {}): AsyncGenerator<InboundPiece, void, undefined> {
    for (let segmentIndex = this.#firstMissing; segmentIndex < this.#plan.segmentCount; segmentIndex++) {
      throwIfAborted(options.signal);
      const at = segmentIndex * this.#plan.pieceLength(0);
      const size = this.#plan.pieceLength(segmentIndex);
      yield { segmentIndex, size, bytes: only(this.#column.subarray(at, at + size)) };
    }
  }

  async done(): Promise<readonly Hex[]> {
    return this.#checksums;
  }

  close(): void {}
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

function settled(): Retryable {
  return new Retryable({
    code: 'offer-withdrawn',
    message: 'The offer was settled before.',
    advice: 'Nothing to do: the primary offers the column again when it needs to.',
  });
}
