import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { type SealSignature, verifySealSignatures } from '#protocols/sealing/seal';

/** What comes within this time is checked together, ms; a seal waits for blocks of a second anyway. */
const GATHER_MS = 25;
/** More at once would hold up the event loop. */
const MAX_TOGETHER = 8;

interface Waiting {
  readonly seal: SealSignature;
  readonly answer: (valid: boolean) => void;
}

/**
 * Checks the seal signatures of secondaries, those that come shortly after one another together: six at once cost
 * half of six alone. Each is answered after it was checked itself, and a wrong one changes no other's answer.
 */
export class SealChecks {
  /** No more than there are columns being replicated. */
  #waiting: Waiting[] = [];

  /** As `verifySealSignature`, a little later. */
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
