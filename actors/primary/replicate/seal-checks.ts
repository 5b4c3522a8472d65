import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { type SealSignature, verifySealSignatures } from '#protocols/sealing/seal';

/**
 * Signatures that arrive within this time are checked together, ms; a seal waits for blocks of about a second anyway.
 */
const GATHER_MS = 100;
/** Maximum number checked at once; more would block the event loop: those of two objects take about 8 ms. */
const MAX_TOGETHER = 12;

interface Waiting {
  readonly seal: SealSignature;
  readonly answer: (valid: boolean) => void;
}

/**
 * Checks the seal signatures of secondaries in batches: the six of one object together cost a third of six one by one.
 * The answer for each signature is its own: a wrong one in the batch does not affect the others.
 */
export class SealChecks {
  /** Bounded by the number of columns being replicated. */
  #waiting: Waiting[] = [];

  /** As `verifySealSignature`, after a short delay. */
  verify(seal: SealSignature): Promise<boolean> {
    return new Promise((answer) => {
      this.#waiting.push({ seal, answer });
      if (this.#waiting.length === 1) void this.#checkSoon();
    });
  }

  async #checkSoon(): Promise<void> {
    await sleep(GATHER_MS);
    const waiting = this.#waiting;
    this.#waiting = [];
    while (waiting.length > 0) {
      const together = waiting.splice(0, MAX_TOGETHER);
      const valid = verifySealSignatures(together.map(({ seal }) => seal));
      for (const [i, { answer }] of together.entries()) answer(valid[i] === true);
      await nextTurn();
    }
  }
}
