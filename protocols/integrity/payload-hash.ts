import { createHash } from 'node:crypto';
import type { Hex } from '../greenfield/types.ts';

/** The integrity hash of the primary over a payload that passes by: SHA-256 over the SHA-256 of each segment. */
export class PayloadHash {
  readonly #maxSegmentSize: number;
  readonly #whole = createHash('sha256');
  #segment = createHash('sha256');
  #filled = 0;

  /** @param maxSegmentSize bytes, of the parameters that held when the content was announced */
  constructor(maxSegmentSize: number) {
    this.#maxSegmentSize = maxSegmentSize;
  }

  update(bytes: Uint8Array): void {
    for (let taken = 0; taken < bytes.length; ) {
      const part = bytes.subarray(taken, taken + this.#maxSegmentSize - this.#filled);
      this.#segment.update(part);
      this.#filled += part.length;
      taken += part.length;
      if (this.#filled === this.#maxSegmentSize) this.#endSegment();
    }
  }

  /** Ends the payload; once only. */
  digest(): Hex {
    if (this.#filled > 0) this.#endSegment();
    return this.#whole.digest('hex');
  }

  #endSegment(): void {
    this.#whole.update(this.#segment.digest());
    this.#segment = createHash('sha256');
    this.#filled = 0;
  }
}
