import { Terminal, throwIfAborted } from '#protocols/errors';
import { type PayloadPlan, planPayload } from '#protocols/payload/plan';
import type {
  ApprovalAnswer,
  ApprovalAsk,
  ColumnOffer,
  PeerClient,
  PeerOptions,
  ReplicationSession,
} from '../peers.ts';
import type { Asks } from './asks.ts';
import type { Bundles } from './bundles/bundles.ts';
import { sendSmallColumn } from './bundles/small-column.ts';
import type { PeerContext } from './context.ts';
import { HEADER_ROOM, INLINE_COLUMN } from './limits.ts';
import type { Receipts } from './mail/receipts.ts';
import { SendWindow } from './session/send-window.ts';
import { SendingSession } from './session/sending-session.ts';
import type { HeldApprovals } from './standing/held.ts';

export interface ClientParts {
  readonly asks: Asks;
  readonly approvals: HeldApprovals;
  readonly receipts: Receipts;
  readonly bundles: Bundles;
}

/** How this SP, as a primary, reaches the others over NATS. */
export class NatsPeerClient implements PeerClient {
  readonly #context: PeerContext;
  readonly #asks: Asks;
  readonly #approvals: HeldApprovals;
  readonly #receipts: Receipts;
  readonly #bundles: Bundles;
  /** By SP id, one for all our streams to an SP: no more than there are SPs. */
  readonly #windows = new Map<number, SendWindow>();

  constructor(context: PeerContext, { asks, approvals, receipts, bundles }: ClientParts) {
    this.#context = context;
    this.#asks = asks;
    this.#approvals = approvals;
    this.#receipts = receipts;
    this.#bundles = bundles;
  }

  ask(
    ask: ApprovalAsk,
    options: PeerOptions & { readonly timeoutMs: number },
  ): AsyncIterable<ApprovalAnswer> {
    return this.#asks.ask(ask, options);
  }

  async open(
    offer: ColumnOffer,
    options: PeerOptions & { readonly column?: readonly Uint8Array[] } = {},
  ): Promise<ReplicationSession> {
    throwIfAborted(this.#context.closed);
    throwIfAborted(options.signal);
    const plan = planPayload(offer);
    const small = this.#small(plan, options.column);
    if (small) return this.#sendSmall(offer, small, options.signal);
    const { job, from: _, to, gvgId, redundancyIndex, trace, ...terms } = offer;
    const about = { job, gvgId, redundancyIndex };
    const session = new SendingSession(this.#context, {
      about,
      to,
      ...(trace !== undefined && { trace }),
      plan,
      checksums: offer.checksums,
      messageBytes: Math.min(this.#context.limits.pieceMessage, this.#maxPayload() - HEADER_ROOM),
      window: this.#window(to),
      receipts: this.#receipts,
    });
    try {
      const mail = { job, redundancyIndex, from: to, to: this.#context.spId };
      const stored = await this.#receipts.stored(mail, about);
      const receipt = stored && (await session.receiptIn(stored));
      if (receipt) session.complete(receipt);
      else {
        const { checksums } = terms;
        await session.offer({ ...terms, checksums: [...checksums] }, options.signal);
      }
      return session;
    } catch (error) {
      session.close();
      throw error;
    }
  }

  /**
   * Under a standing approval nobody has asked whether the SP is there: the try ends as soon as it seems to be gone, and
   * with any failure the approval, so that the next object asks.
   */
  async #sendSmall(
    offer: ColumnOffer,
    column: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<ReplicationSession> {
    const isStanding = this.#approvals.has(offer.approval);
    const parts = { context: this.#context, bundles: this.#bundles, endsWhenLost: isStanding };
    try {
      return await sendSmallColumn(parts, offer, column, signal);
    } catch (error) {
      if (isStanding) this.#approvals.drop(offer.approval);
      throw error;
    }
  }

  /** The pieces of a small column as one buffer; undefined if they are sent separately. */
  #small(plan: PayloadPlan, column: readonly Uint8Array[] | undefined): Buffer | undefined {
    if (!column || plan.columnLength > Math.min(INLINE_COLUMN, this.#maxPayload() / 2)) return undefined;
    const bytes = Buffer.concat(column);
    if (bytes.length === plan.columnLength) return bytes;
    throw new Terminal({
      code: 'wrong-piece',
      message: `The column has ${bytes.length} bytes, not ${plan.columnLength}.`,
    });
  }

  #maxPayload(): number {
    return this.#context.connection.info?.max_payload ?? 0;
  }

  #window(spId: number): SendWindow {
    const window = this.#windows.get(spId) ?? new SendWindow(this.#context.limits.inFlightPerReceiver);
    this.#windows.set(spId, window);
    return window;
  }
}
