import { deferred } from '@nats-io/nats-core';
import { Cancelled, Terminal, throwIfAborted } from '#protocols/errors';
import type { Receipt } from '#protocols/job/context';
import { planPayload } from '#protocols/payload/plan';
import type { Letter } from '#protocols/replication/bundle';
import { orAborted } from '#runtime/async/or-aborted';
import type { ColumnOffer, ReplicationSession } from '../../peers.ts';
import type { PeerContext } from '../context.ts';
import { offerRefused, offerUnanswered } from '../offer-failures.ts';
import { COLUMNS, newToken } from '../subjects.ts';
import type { AnswerLetter, Bundles } from './bundles.ts';

/** Number of times that an unanswered offer is sent. */
const TRIES = 12;

export interface SmallColumnParts {
  readonly context: PeerContext;
  readonly bundles: Bundles;
  /** Fails with the second bundle that may not have arrived: a node that restarts may miss one. */
  readonly endsWhenLost: boolean;
}

/**
 * The primary's side of a small column: sends the column with its offer, and waits for the receipt. A lost offer is
 * sent again; a secondary that already has the column repeats its receipt.
 * @throws Retryable `peer-unreachable`, `offer-refused`, `receipt-refused`; Terminal the latter two; Cancelled
 */
export async function sendSmallColumn(
  { context, bundles, endsWhenLost }: SmallColumnParts,
  offer: ColumnOffer,
  column: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<ReplicationSession> {
  const { times, closed } = context;
  const { to } = offer;
  const letter = letterOf(offer, column);
  if (offer.trace !== undefined) bundles.setTrace(letter, offer.trace);
  const answered = deferred<Receipt>();
  let lost: unknown;
  let losses = 0;
  const post = () =>
    bundles.post(to, COLUMNS, letter, (error) => {
      lost = error;
      losses += 1;
      if (endsWhenLost && losses > 1) answered.reject(offerUnanswered(to, times.offer, lost));
    });
  const stopHearing = bundles.expect(letter, to, (answer) => {
    if (answer.kind === 'receipt') answered.resolve(toReceipt(answer, to));
    else if (answer.kind === 'refusal')
      answered.reject(offerRefused(answer.body.read ? 'receipt-refused' : 'offer-refused', to, answer.body));
  });
  const repeat = setInterval(post, times.offer / TRIES);
  const timer = setTimeout(() => answered.reject(offerUnanswered(to, times.offer, lost)), times.offer);
  post();
  try {
    const receipt = await orAborted(answered, signal, closed);
    return new CompletedSession(planPayload(offer).segmentCount, column.length, receipt);
  } finally {
    clearInterval(repeat);
    clearTimeout(timer);
    stopHearing();
    bundles.withdraw(to, COLUMNS, letter);
  }
}

/** The session of a column that the secondary has already stored and signed for. */
class CompletedSession implements ReplicationSession {
  readonly firstMissing: number;
  readonly sentBytes: number;
  readonly #receipt: Receipt;
  #closed = false;

  constructor(segmentCount: number, sentBytes: number, receipt: Receipt) {
    this.firstMissing = segmentCount;
    this.sentBytes = sentBytes;
    this.#receipt = receipt;
  }

  async send({ segmentIndex }: { readonly segmentIndex: number }): Promise<void> {
    throw new Terminal({
      code: 'wrong-piece',
      message: `Segment ${segmentIndex} is not missing: the secondary has the whole column.`,
    });
  }

  async done(_checksums: unknown, options: { readonly signal?: AbortSignal } = {}): Promise<Receipt> {
    throwIfAborted(options.signal);
    if (!this.#closed) return this.#receipt;
    throw new Cancelled({ code: 'session-closed', message: 'The primary closed the session.' });
  }

  close(): void {
    this.#closed = true;
  }
}

function letterOf(offer: ColumnOffer, column: Uint8Array): Letter<'column'> {
  const { job, gvgId, redundancyIndex, from: _, to: __, checksums, trace: ___, ...terms } = offer;
  return {
    kind: 'column',
    nonce: newToken(),
    job,
    gvgId,
    redundancyIndex,
    body: { ...terms, checksums: [...checksums] },
    attachment: column,
  };
}

function toReceipt(
  { gvgId, redundancyIndex, body }: AnswerLetter & { kind: 'receipt' },
  spId: number,
): Receipt {
  const { integrityHash, approvalSignature, blsSignature } = body;
  return { spId, gvgId, redundancyIndex, integrityHash, approvalSignature, blsSignature };
}
