import { LRUCache } from 'lru-cache';
import type { Letter } from '#protocols/replication/bundle';
import { watchItems } from '../../../telemetry/sizes.ts';
import type { ApprovalAnswer, ApprovalAsk } from '../../peers.ts';
import type { AnswerLetter, Bundles } from '../bundles/bundles.ts';
import type { PeerContext } from '../context.ts';
import { INLINE_COLUMN, STANDING } from '../limits.ts';
import { COLUMNS, newToken } from '../subjects.ts';

interface Held {
  readonly answer: ApprovalAnswer;
  left: number;
}

/** Places in groups of which approvals are held. */
const MAX_HELD = 10_000;
/** An approval with less time left is not used: the column has to arrive in time. */
const SHORTEST_MS = STANDING.lifetimeMs / 4;
/** With less time or fewer columns left another is asked for. */
const RENEW = { ms: STANDING.lifetimeMs / 2, columns: STANDING.columns / 2 };
/** A place that has not answered is asked again after this time: an older Sealion does not know the question. */
const ASK_AGAIN_MS = 60_000;

/** The primary's standing approvals: with them small columns are offered without an ask for each object. */
export class HeldApprovals {
  readonly #context: PeerContext;
  readonly #bundles: Bundles;
  readonly #held = new LRUCache<string, Held>({ max: MAX_HELD });
  /** Places that have been asked and have not answered. */
  readonly #asked = new LRUCache<string, () => void>({
    max: MAX_HELD,
    ttl: ASK_AGAIN_MS,
    dispose: (stopHearing) => stopHearing(),
  });

  constructor(context: PeerContext, bundles: Bundles) {
    this.#context = context;
    this.#bundles = bundles;
    watchItems(context.sizes, 'standing_approvals', this.#held);
  }

  /**
   * An answer of each member of the best group, from the approvals that are held; undefined where one is missing, or
   * the object's columns may not be small. What is missing or running out is asked for meanwhile.
   */
  answers(ask: ApprovalAsk): readonly ApprovalAnswer[] | undefined {
    const [group] = ask.groups;
    // A column is not longer than its payload.
    if (!group || ask.payloadSize > INLINE_COLUMN) return undefined;
    const now = Date.now();
    const held = group.secondarySpIds.map((spId, redundancyIndex) => {
      const known = this.#held.get(nameOf(spId, group.gvgId, redundancyIndex));
      const left = known && { ms: known.answer.expiresAt - now, columns: known.left };
      if (!left || left.ms < RENEW.ms || left.columns < RENEW.columns)
        this.#request(ask, group, redundancyIndex, spId);
      return left && left.ms >= SHORTEST_MS && left.columns > 0 ? known : undefined;
    });
    const usable = held.filter((one) => one !== undefined);
    if (usable.length < held.length) return undefined;
    for (const one of usable) one.left -= 1;
    return usable.map(({ answer }) => answer);
  }

  /** Whether it is one of these approvals. @param approval the message, base64 */
  has(approval: string): boolean {
    return [...this.#held.values()].some(({ answer }) => answer.message === approval);
  }

  /** Forgets one that did not help. */
  drop(approval: string): void {
    for (const [name, { answer }] of this.#held) if (answer.message === approval) this.#held.delete(name);
  }

  #request(
    { job, groups: _, standing: __, primarySpId: ___, trace: ____, ...terms }: ApprovalAsk,
    { gvgId, secondarySpIds }: ApprovalAsk['groups'][number],
    redundancyIndex: number,
    spId: number,
  ): void {
    const name = nameOf(spId, gvgId, redundancyIndex);
    if (this.#asked.has(name)) return;
    const letter: Letter<'standing-ask'> = {
      kind: 'standing-ask',
      nonce: newToken(),
      job,
      gvgId,
      redundancyIndex,
      body: { ...terms, secondarySpIds: [...secondarySpIds], columns: STANDING.columns },
    };
    const hear = (answer: AnswerLetter) => {
      if (answer.kind === 'standing-approval') void this.#keep(name, letter, spId, answer.body.approval);
    };
    this.#asked.set(name, this.#bundles.expect(letter, spId, hear));
    this.#bundles.post(spId, COLUMNS, letter, () => undefined);
  }

  async #keep(
    name: string,
    { nonce, job, gvgId, redundancyIndex }: Letter,
    spId: number,
    message: string,
  ): Promise<void> {
    const { codec, senderLimits } = this.#context;
    try {
      const { body, expiresAt } = await codec.open(Buffer.from(message, 'base64'), {
        kinds: ['standing-approval'],
        from: spId,
        about: { job, gvgId, redundancyIndex },
      });
      if (body.re !== nonce) return;
      const answer = { spId, expiresAt, granted: [{ gvgId, redundancyIndex }], refused: [], message };
      this.#held.set(name, { answer, left: body.columns });
      this.#asked.delete(name);
    } catch (error) {
      senderLimits.rejected(spId, error, 'rejected a standing approval');
    }
  }
}

function nameOf(spId: number, gvgId: number, redundancyIndex: number): string {
  return `${spId}/${gvgId}/${redundancyIndex}`;
}
