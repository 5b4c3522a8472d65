import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { type SealSignature, verifySealSignatures } from '#protocols/sealing/seal';

/** How often is checked what waits, ms; a seal waits for blocks of about a second anyway. */
const CHECK_EVERY_MS = 100;
/** For how many of these times the signatures of an object wait for the others. The seal needs them all. */
const PATIENCE = 3;
/** Maximum number checked at once; more would block the event loop: those of two objects take about 5 ms. */
const MAX_TOGETHER = 12;

interface Waiting {
  readonly seal: SealSignature;
  readonly answer: (valid: boolean) => void;
}

/** Signatures of one document. */
interface Document {
  readonly waiting: Waiting[];
  /** How often it was left to wait for more. */
  left: number;
}

/**
 * Checks the seal signatures of secondaries in batches: the six of one object together cost half of six one by one, and
 * those of several objects together even less. The answer for each signature is its own: a wrong one in the batch does
 * not affect the others.
 */
export class SealChecks {
  /** By object and group. Bounded by the number of columns being replicated. */
  readonly #documents = new Map<string, Document>();

  /** As `verifySealSignature`, after a short delay. */
  verify(seal: SealSignature): Promise<boolean> {
    const { objectId, gvgId } = seal.document;
    const name = `${objectId}/${gvgId}`;
    return new Promise((answer) => {
      const isFirst = this.#documents.size === 0;
      const document = this.#documents.get(name) ?? { waiting: [], left: 0 };
      this.#documents.set(name, document);
      document.waiting.push({ seal, answer });
      if (isFirst) void this.#checkAll();
    });
  }

  async #checkAll(): Promise<void> {
    while (this.#documents.size > 0) {
      await sleep(CHECK_EVERY_MS);
      const due = this.#takeDue();
      while (due.length > 0) {
        const together = due.splice(0, MAX_TOGETHER);
        const valid = verifySealSignatures(together.map(({ seal }) => seal));
        for (const [i, { answer }] of together.entries()) answer(valid[i] === true);
        await nextTurn();
      }
    }
  }

  #takeDue(): Waiting[] {
    const due: Waiting[] = [];
    for (const [name, document] of this.#documents) {
      const [first] = document.waiting;
      document.left += 1;
      // one of the seven checksums is the primary's
      const all = (first?.seal.document.checksums.length ?? 0) - 1;
      if (document.waiting.length < all && document.left < PATIENCE) continue;
      due.push(...document.waiting);
      this.#documents.delete(name);
    }
    return due;
  }
}
