import { wireOf } from '#protocols/approval/wire';
import { Cancelled, Retryable, toSealionError } from '#protocols/errors';
import { checksumsOf } from '#protocols/job/checksums';
import type { JobContext, Receipt } from '#protocols/job/context';
import { planPayload } from '#protocols/payload/plan';
import { checkReceipt } from '#protocols/replication/receipts';
import type { Behaviour, Context, Outcome, Ref } from '#runtime/actors/types';
import type { Release } from '#runtime/async/byte-budget';
import type { ColumnOffer, ReplicationSession } from '#runtime/peers/peers';
import type { PrimaryPorts } from '../ports.ts';
import type { EncoderMessage } from './encoder.ts';

/** Sent to the object actor: the secondary has stored its column, and all its signatures were checked. */
export type ReplicatorReport = { readonly type: 'secondary-completed'; readonly receipt: Receipt };

type ReplicatorMessage = { readonly type: 'ended'; readonly outcome: Outcome<Receipt> };

/** Code of a failure to read a piece from our own encoder or PieceStore. */
export const OWN_SEGMENT = 'own-segment';

/** A column of at most this many bytes is sent with its offer over NATS (ARCHITECTURE.md#the-two-nats-planes). */
const INLINE_COLUMN_BYTES = 65_536;

export interface ReplicatorOptions {
  readonly context: JobContext;
  readonly redundancyIndex: number;
  readonly ports: Pick<
    PrimaryPorts,
    'spId' | 'chainId' | 'peers' | 'providers' | 'outgoing' | 'shardMemory' | 'sealChecks'
  >;
  readonly encoder: Ref<EncoderMessage>;
  readonly parent: Ref<ReplicatorReport>;
}

/** Sends one column to one secondary: open, pieces in segment order, done, receipt. */
export function replicator(options: ReplicatorOptions): Behaviour<ReplicatorMessage, undefined> {
  return {
    kind: 'replicator',
    start(ctx) {
      ctx.pipe(
        (signal) => replicate(options, ctx, signal),
        (outcome) => ({ type: 'ended', outcome }),
      );
      return undefined;
    },
    receive(_state, { outcome }, ctx) {
      if (!outcome.ok) throw outcome.error;
      options.parent.tell({ type: 'secondary-completed', receipt: outcome.value });
      ctx.stopSelf();
      return undefined;
    },
  };
}

async function replicate(
  options: ReplicatorOptions,
  ctx: Context<ReplicatorMessage>,
  signal: AbortSignal,
): Promise<Receipt> {
  const { context, ports, redundancyIndex } = options;
  const plan = planPayload(context.object);
  const offer = offerOf(options);
  const to = `sp ${offer.to}`;
  const say = (doing: string, done: number, waitsFor: string, from?: number) =>
    ctx.say({
      doing,
      waitsFor,
      progress: {
        done,
        total: plan.segmentCount,
        unit: 'segments',
        ...(from !== undefined && { from }),
      },
    });

  const inline = wireOf(offer.approval) === 'nats' && plan.columnLength <= INLINE_COLUMN_BYTES;
  const column = inline ? await wholeColumn(options, signal) : undefined;
  say(`offering column ${redundancyIndex} to ${to}`, 0, to);
  const session = await ports.peers.open(offer, { signal, ...(column ? { column } : {}) });
  try {
    let sending: Promise<void> = Promise.resolve();
    for (let index = session.firstMissing; index < plan.segmentCount; index += 1) {
      say(`sending column ${redundancyIndex} to ${to}`, index, `credit of ${to}`, session.firstMissing);
      const piece = await takePiece(options, offer.to, index, signal);
      const before = sending;
      sending = sendPiece(options, session, piece, signal);
      // Its error is handled when the piece is awaited.
      sending.catch(() => undefined);
      await before;
    }
    await sending;
    say(`waiting for the receipt of column ${redundancyIndex}`, plan.segmentCount, to);
    const receipt = await session.done(checksumsOf(context), { signal });
    await verify(options, offer, receipt, signal);
    return receipt;
  } catch (error) {
    ctx.log.warn(
      { error: toSealionError(error), to: offer.to, column: redundancyIndex },
      'failed to send a column',
    );
    throw error;
  } finally {
    session.close();
  }
}

interface HeldPiece {
  readonly segmentIndex: number;
  readonly bytes: Uint8Array;
  readonly release: Release;
}

/**
 * Pulls a piece when the byte budget of this SP has room for it, so that a slow SP does not hold more memory. The
 * budget is enough for two pieces: one is read and encoded while the one before is being sent.
 */
async function takePiece(
  options: ReplicatorOptions,
  to: number,
  segmentIndex: number,
  signal: AbortSignal,
): Promise<HeldPiece> {
  const length = planPayload(options.context.object).pieceLength(segmentIndex);
  const release = await options.ports.outgoing.of(to).acquire(length, signal);
  try {
    return { segmentIndex, bytes: await pullPiece(options, segmentIndex, signal), release };
  } catch (error) {
    release();
    throw error;
  }
}

async function sendPiece(
  { context, ports }: ReplicatorOptions,
  session: ReplicationSession,
  { segmentIndex, bytes, release }: HeldPiece,
  signal: AbortSignal,
): Promise<void> {
  // With REPLICA all replicators send the same memory.
  const isOwn = context.object.redundancy === 'EC';
  const giveBack = () => ports.shardMemory.giveBack([bytes]);
  try {
    await session.send({ segmentIndex, bytes, ...(isOwn && { giveBack }) }, { signal });
  } finally {
    release();
  }
}

/** @throws Retryable `own-segment`: the failure is not the secondary's fault */
async function pullPiece(
  { encoder, redundancyIndex }: ReplicatorOptions,
  segmentIndex: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  try {
    return await encoder.ask<Uint8Array>(
      (reply) => ({ type: 'piece', segmentIndex, redundancyIndex, reply }),
      { signal },
    );
  } catch (cause) {
    if (cause instanceof Cancelled) throw cause;
    const { message } = toSealionError(cause);
    throw new Retryable({
      code: OWN_SEGMENT,
      message: `The primary cannot read segment ${segmentIndex}: ${message}`,
      cause,
    });
  }
}

async function wholeColumn(options: ReplicatorOptions, signal: AbortSignal): Promise<readonly Uint8Array[]> {
  const { segmentCount } = planPayload(options.context.object);
  const column: Uint8Array[] = [];
  for (let index = 0; index < segmentCount; index += 1) column.push(await pullPiece(options, index, signal));
  return column;
}

async function verify(
  { ports, context }: ReplicatorOptions,
  { to, gvgId, redundancyIndex, approval }: ColumnOffer,
  receipt: Receipt,
  signal: AbortSignal,
): Promise<void> {
  const provider = (await ports.providers(signal)).find(({ id }) => id === to);
  if (!provider) {
    throw new Retryable({ code: 'sp-unknown', message: `The chain does not list sp ${to}.` });
  }
  const { id, allocation } = context;
  const gvg = { id: gvgId, secondarySpIds: allocation?.secondarySpIds ?? [] };
  const subject = {
    chainId: ports.chainId,
    objectId: id.objectId,
    gvg,
    redundancyIndex,
    checksums: checksumsOf(context),
  };
  await checkReceipt(receipt, subject, provider, wireOf(approval), (seal) => ports.sealChecks.verify(seal));
}

function offerOf({ context, redundancyIndex, ports }: ReplicatorOptions): ColumnOffer {
  const { id, object, allocation } = context;
  const approval = allocation?.approvals[redundancyIndex];
  if (!allocation || !approval) {
    throw new Retryable({ code: 'approval-missing', message: `Column ${redundancyIndex} has no approval.` });
  }
  return {
    job: id,
    from: ports.spId,
    to: approval.spId,
    gvgId: allocation.gvgId,
    redundancyIndex,
    bucketName: object.bucketName,
    objectName: object.objectName,
    payloadSize: object.payloadSize,
    redundancy: object.redundancy,
    maxSegmentSize: object.maxSegmentSize,
    dataChunks: object.dataChunks,
    parityChunks: object.parityChunks,
    approval: approval.message,
    checksums: checksumsOf(context),
    ...(context.trace !== undefined && { trace: context.trace }),
  };
}
