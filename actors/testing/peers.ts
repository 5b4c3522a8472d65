import { throwIfAborted } from '#protocols/errors';
import type { Hex } from '#protocols/greenfield/types';
import { checkIntegrity, checksum } from '#protocols/integrity/checksums';
import type { Receipt } from '#protocols/job/context';
import { planPayload } from '#protocols/payload/plan';
import { signReceipt } from '#protocols/replication/receipts';
import type {
  ApprovalAnswer,
  ApprovalAsk,
  ColumnOffer,
  PeerClient,
  PeerOptions,
  ReplicationSession,
} from '#runtime/peers/peers';
import type { TestChain } from './chain.ts';
import { keysOf } from './providers.ts';

/** Other SPs as a primary sees them. They store what is sent, check it, and sign with real keys. */
export class TestPeers implements PeerClient {
  readonly asks: ApprovalAsk[] = [];
  readonly offers: ColumnOffer[] = [];
  /** Pieces by segment, of the columns that arrived, by `<sp>/<redundancy index>`. */
  readonly columns = new Map<string, readonly Uint8Array[]>();
  /** What a member says to an ask; undefined: silent. It grants all its places unless a test says otherwise. */
  answer: (spId: number, ask: ApprovalAsk) => ApprovalAnswer | undefined = grant;
  /** Called before an offer is accepted: may wait, or throw in the secondary's place. */
  onOffer: (offer: ColumnOffer, signal: AbortSignal | undefined) => void | Promise<void> = () => undefined;
  /** What becomes of a receipt on its way. */
  onReceipt: (receipt: Receipt) => Receipt = (receipt) => receipt;
  readonly #chain: TestChain;

  constructor(chain: TestChain) {
    this.#chain = chain;
  }

  async *ask(ask: ApprovalAsk, { signal }: PeerOptions): AsyncGenerator<ApprovalAnswer> {
    this.asks.push(ask);
    const members = new Set(ask.groups.flatMap(({ secondarySpIds }) => secondarySpIds));
    for (const spId of members) {
      throwIfAborted(signal);
      const answer = this.answer(spId, ask);
      if (answer) yield answer;
    }
  }

  async open(
    offer: ColumnOffer,
    options: PeerOptions & { readonly column?: readonly Uint8Array[] },
  ): Promise<ReplicationSession> {
    this.offers.push(offer);
    await this.onOffer(offer, options.signal);
    const { segmentCount } = planPayload(offer);
    const name = `${offer.to}/${offer.redundancyIndex}`;
    const stored = [...(this.columns.get(name) ?? options.column ?? [])];
    return {
      firstMissing: stored.length,
      send: async ({ segmentIndex, bytes }) => {
        if (segmentIndex !== stored.length) throw new Error(`segment ${segmentIndex} is not the next`);
        stored.push(Uint8Array.from(bytes));
      },
      done: async (checksums) => {
        if (stored.length !== segmentCount) throw new Error('pieces are missing');
        checkIntegrity(offer.redundancyIndex, stored.map(checksum), checksums);
        this.columns.set(name, stored);
        return this.onReceipt(await this.#sign(offer, checksums));
      },
      close: () => undefined,
    };
  }

  #sign({ to, gvgId, redundancyIndex, job }: ColumnOffer, checksums: readonly Hex[]): Promise<Receipt> {
    const gvg = this.#chain.groups.find(({ id }) => id === gvgId);
    if (!gvg) throw new Error(`there is no group ${gvgId}`);
    const { operator, approval, bls } = keysOf(to);
    const subject = {
      chainId: this.#chain.chainId,
      objectId: job.objectId,
      gvg,
      redundancyIndex,
      checksums,
    };
    return signReceipt(subject, operator.address, { approval, bls });
  }
}

/** An answer that grants a member all its places. */
export function grant(spId: number, ask: ApprovalAsk): ApprovalAnswer {
  const granted = ask.groups.flatMap(({ gvgId, secondarySpIds }) => {
    const redundancyIndex = secondarySpIds.indexOf(spId);
    return redundancyIndex < 0 ? [] : [{ gvgId, redundancyIndex }];
  });
  return { spId, expiresAt: Date.now() + 600_000, granted, refused: [], message: `approval of ${spId}` };
}

/** An answer that refuses a member's places. */
export function deny(spId: number, ask: ApprovalAsk, reason: string): ApprovalAnswer {
  const { granted, ...rest } = grant(spId, ask);
  return { ...rest, granted: [], refused: granted.map(({ gvgId }) => ({ gvgId, code: 'test', reason })) };
}
