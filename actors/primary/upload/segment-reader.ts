import { Terminal } from '#protocols/errors';
import type { SegmentRange } from '#protocols/payload/part';
import type { PayloadPlan } from '#protocols/payload/plan';
import { orAborted } from '#runtime/async/or-aborted';

const NOTHING = new Uint8Array();

/** Cuts a stream into the segments of its plan as it arrives, and buffers at most the rest of one chunk. */
export class SegmentReader {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #plan: PayloadPlan;
  readonly #range: SegmentRange;
  readonly #signal: AbortSignal;
  readonly #onWait: (waiting: boolean) => void;
  #rest: Uint8Array = NOTHING;
  #received = 0;
  #ended = false;

  /**
   * @param range the segments that the stream holds
   * @param options.onWait called when a wait for the stream begins, and when it ends
   */
  constructor(
    stream: AsyncIterable<Uint8Array>,
    plan: PayloadPlan,
    range: SegmentRange,
    options: { readonly signal: AbortSignal; readonly onWait?: (waiting: boolean) => void },
  ) {
    this.#source = stream[Symbol.asyncIterator]();
    this.#plan = plan;
    this.#range = range;
    this.#signal = options.signal;
    this.#onWait = options.onWait ?? (() => undefined);
  }

  /** Bytes read from the stream so far. */
  get received(): number {
    return this.#received;
  }

  /**
   * The bytes of the next segment; must be read to the end before the next call.
   * @throws Terminal `payload-too-short` at an early end; whatever the stream throws; Cancelled when the signal fires
   */
  async *segment(index: number): AsyncGenerator<Uint8Array, void, undefined> {
    let missing = this.#plan.segment(index).length;
    while (missing > 0) {
      if (this.#rest.length === 0) this.#rest = (await this.#next()) ?? this.#fail('too-short');
      const part = this.#rest.subarray(0, missing);
      this.#rest = this.#rest.subarray(part.length);
      missing -= part.length;
      yield part;
    }
  }

  /** Makes sure that nothing follows the last segment. @throws Terminal `payload-too-long` */
  async end(): Promise<void> {
    if (this.#rest.length > 0 || (await this.#next())) this.#fail('too-long');
  }

  /** Closes the stream without waiting for it: a read may be hanging. */
  close(): void {
    if (!this.#ended) this.#source.return?.().catch(() => undefined);
    this.#ended = true;
  }

  async #next(): Promise<Uint8Array | undefined> {
    this.#onWait(true);
    try {
      for (;;) {
        const next = await orAborted(this.#source.next(), this.#signal);
        this.#ended = next.done === true;
        if (next.done) return undefined;
        this.#received += next.value.length;
        if (next.value.length > 0) return next.value;
      }
    } finally {
      this.#onWait(false);
    }
  }

  #fail(how: 'too-short' | 'too-long'): never {
    const expected = bytesOf(this.#plan, this.#range);
    const sent = how === 'too-long' ? 'more' : `only ${this.#received}`;
    throw new Terminal({
      code: `payload-${how}`,
      message: `The client sent ${sent} bytes; ${expected} were announced.`,
      advice: 'Send exactly the payload that the object was created for.',
      gatewayCode: 110008,
    });
  }
}

function bytesOf(plan: PayloadPlan, { firstSegment, segmentCount }: SegmentRange): number {
  const last = plan.segment(firstSegment + segmentCount - 1);
  return last.offset + last.length - firstSegment * plan.maxSegmentSize;
}
