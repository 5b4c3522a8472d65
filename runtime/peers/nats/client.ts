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
import type { PeerContext } from './context.ts';
import { HEADER_ROOM, INLINE_COLUMN } from './limits.ts';
import type { Receipts } from './mail/receipts.ts';
import { SendWindow } from './session/send-window.ts';
import { SendingSession } from './session/sending-session.ts';

/** How this SP, as a primary, reaches the others over NATS. */
export class NatsPeerClient implements PeerClient {
  readonly #context: PeerContext;
  readonly #asks: Asks;
  readonly #receipts: Receipts;
  /** By SP id, one for all our streams to an SP: no more than there are SPs. */
  readonly #windows = new Map<number, SendWindow>();

  constructor(context: PeerContext, asks: Asks, receipts: Receipts) {
    this.#context = context;
    this.#asks = asks;
    this.#receipts = receipts;
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
    const { job, from: _, to, gvgId, redundancyIndex, ...terms } = offer;
    const plan = planPayload(offer);
    const inline = this.#inline(plan, options.column);
    const about = { job, gvgId, redundancyIndex };
    const session = new SendingSession(this.#context, {
      about,
      to,
      plan,
      checksums: offer.checksums,
      inline: inline !== undefined,
      messageBytes: Math.min(this.#context.limits.pieceMessage, this.#maxPayload() - HEADER_ROOM),
      window: this.#window(to),
      receipts: this.#receipts,
    });
    try {
      const mail = { job, redundancyIndex, from: to, to: this.#context.spId };
      const stored = await this.#receipts.stored(mail, about);
      const receipt = stored && (await session.receiptIn(stored));
      if (receipt) session.settle(receipt);
      else {
        const { checksums } = terms;
        const column = inline && { column: inline.toString('base64') };
        await session.offer({ ...terms, checksums: [...checksums], ...column }, options.signal);
      }
      return session;
    } catch (error) {
      session.close();
      throw error;
    }
  }

  /** The pieces of a small column as one buffer; undefined if they are sent separately. */
  #inline(plan: PayloadPlan, column: readonly Uint8Array[] | undefined): Buffer | undefined {
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
