import { setMaxListeners } from 'node:events';
import type { NatsConnection } from '@nats-io/nats-core';
import { Cancelled, throwIfAborted } from '#protocols/errors';
import type { StorageProvider } from '#protocols/greenfield/types';
import type { LeaseNotes } from '../../jobs/lease-book.ts';
import type { AccountKey } from '../../keys/keys.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { noSizes, type Sizes } from '../../telemetry/sizes.ts';
import type { PeerClient, PeerHost, PieceSource } from '../peers.ts';
import { Asks } from './asks.ts';
import { Bundles } from './bundles/bundles.ts';
import { NatsPeerClient } from './client.ts';
import type { PeerContext, PeerTimes } from './context.ts';
import { ControlCodec } from './control-codec.ts';
import { NatsPeerHost } from './host.ts';
import { FLOW_LIMITS } from './limits.ts';
import { Mailboxes } from './mail/mailboxes.ts';
import { Offers } from './mail/offers.ts';
import { Receipts } from './mail/receipts.ts';
import { Recovery } from './recovery.ts';
import { SenderLimits } from './sender-limits.ts';
import { Senders } from './senders.ts';
import { HeldApprovals } from './standing/held.ts';

export interface PeersOptions {
  readonly spId: number;
  readonly chainId: string;
  /** Signs our messages; its address is our operator address on chain. */
  readonly operatorKey: AccountKey;
  /** The SPs on chain, to check the signatures of others; may be cached. */
  readonly providers: () => Promise<readonly StorageProvider[]>;
  /** Connection to the peers account, with `peersInbox(spId)` as its inbox prefix. Stays its owner's. */
  readonly peers: NatsConnection;
  /** Connection to our own account, where the mailboxes are. Stays its owner's. */
  readonly home: NatsConnection;
  readonly log: Logger;
  /** Where offers that are held are noted, for the next process of this node. */
  readonly notes?: LeaseNotes | undefined;
  /** Shown the sizes of what is bounded. */
  readonly sizes?: Sizes;
  /** Replicas of the mailboxes: 1 (default), or 3 in a cluster of servers. */
  readonly replicas?: number;
  /** Overrides of `PEER_TIMES`. */
  readonly times?: Partial<PeerTimes>;
  /** Closes the adapter. */
  readonly signal?: AbortSignal;
}

export interface Peers {
  readonly client: PeerClient;
  readonly host: PeerHost;
  readonly pieces: PieceSource;
  /** Ends all sessions and returns held offers. Safe to call more than once. */
  close(): Promise<void>;
}

/** ms */
export const PEER_TIMES: PeerTimes = { stall: 30_000, idle: 120_000, offer: 60_000, ackWait: 10_000 };

/**
 * Joins the peers plane (ARCHITECTURE.md#the-two-nats-planes) over NATS.
 * @throws Retryable `nats-unavailable`; Terminal `jetstream-disabled`, `stream-unfit`; Cancelled
 */
export async function connectPeers(options: PeersOptions): Promise<Peers> {
  const { spId, home, signal } = options;
  throwIfAborted(signal);
  const closing = new AbortController();
  const context = contextOf(options, closing.signal);
  const { times } = context;
  const mailboxes = await Mailboxes.open({
    home,
    spId,
    replicas: options.replicas ?? 1,
    ackWaitMs: times.ackWait,
  });
  const senders = new Senders(context, mailboxes, options.providers);
  const bundles = new Bundles(context);
  const approvals = new HeldApprovals(context, bundles);
  const asks = new Asks(context, approvals);
  const offers = new Offers(context, mailboxes, senders, { bundles, asks });
  const receipts = new Receipts(context, mailboxes, home);
  const recovery = new Recovery(context);
  await senders.start();
  await receipts.start();
  bundles.start();

  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= (async () => {
      signal?.removeEventListener('abort', close);
      closing.abort(disconnecting());
      await offers.release();
      receipts.stop();
      bundles.stop();
    })();
    return closed;
  };
  signal?.addEventListener('abort', close, { once: true });
  if (signal?.aborted) await close();
  throwIfAborted(signal);
  return {
    client: new NatsPeerClient(context, { asks, approvals, receipts, bundles }),
    host: new NatsPeerHost(asks, offers, recovery),
    pieces: recovery,
    close,
  };
}

/**
 * The peers plane for a node that neither sends nor receives columns: it fetches stored pieces, and has no mailboxes.
 */
export function connectForPieces(options: Omit<PeersOptions, 'home'>): Pick<Peers, 'pieces' | 'close'> {
  const closing = new AbortController();
  return {
    pieces: new Recovery(contextOf(options, closing.signal)),
    close: async () => closing.abort(disconnecting()),
  };
}

function contextOf(options: Omit<PeersOptions, 'home'>, closed: AbortSignal): PeerContext {
  const { spId, peers, notes, log, sizes = noSizes } = options;
  // Every session has a listener, and there may be many.
  setMaxListeners(0, closed);
  return {
    spId,
    connection: peers,
    codec: new ControlCodec(options),
    limits: FLOW_LIMITS,
    times: { ...PEER_TIMES, ...options.times },
    ...(notes && { notes }),
    log,
    sizes,
    senderLimits: new SenderLimits(log),
    closed,
  };
}

function disconnecting(): Cancelled {
  return new Cancelled({
    code: 'peers-closed',
    message: 'This node is disconnecting from the peers plane.',
  });
}
