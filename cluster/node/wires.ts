import type { NatsConnection } from '@nats-io/nats-core';
import type { Chain } from '#runtime/chain/chain';
import type { LeaseBook } from '#runtime/jobs/lease-book';
import type { Keyring } from '#runtime/keys/keys';
import { absentHost } from '#runtime/peers/absent-host';
import { countedHost } from '#runtime/peers/counted-host';
import { countedPeers, countedPieces } from '#runtime/peers/counted-peers';
import { HttpPeerClient } from '#runtime/peers/http/client';
import { connectForPieces, connectPeers, type Peers } from '#runtime/peers/nats/connect-peers';
import { PeerCounts } from '#runtime/peers/peer-counts';
import { watchPeers } from '#runtime/peers/peer-metrics';
import type { PeerClient, PeerHost, PieceSource } from '#runtime/peers/peers';
import { PieceWires } from '#runtime/peers/piece-wires';
import { tracedHost, tracedPeers, tracedPieces } from '#runtime/peers/traced-peers';
import { PeerWires } from '#runtime/peers/wires';
import { hasRole } from '../config/roles.ts';
import type { NodeConfig, PlaneConfig } from '../config/schema.ts';
import { connectPlane } from './connect-plane.ts';
import { retryUntilUp } from './retry-until-up.ts';
import type { StartContext } from './start-context.ts';

export interface WiresContext extends StartContext {
  readonly keys: Keyring;
  readonly chain: Chain;
  /** Connection to the home plane. */
  readonly home: NatsConnection;
  readonly leases?: LeaseBook | undefined;
}

/** The connections of a node's actors to other SPs, except for the gateway. */
export interface Wires {
  readonly client: PeerClient;
  readonly host: PeerHost;
  /** Source of the pieces that repairs need. */
  readonly pieces: PieceSource;
  /** What is exchanged with each of them. */
  readonly counts: PeerCounts;
  /** Connection to the peers plane, where this node uses it. */
  readonly peersLink?: NatsConnection;
}

/**
 * Opens the configured wires (ARCHITECTURE.md#the-two-nats-planes).
 * @throws as `connectPlane` and `connectPeers`
 */
export async function openWires(context: WiresContext): Promise<Wires> {
  const { config, keys, chain, lifecycle, metrics, traces, log } = context;
  const { wires } = config.peers;
  const plane = wires.includes('nats') ? config.nats.peers : undefined;
  const peersLink = plane && (await connectPeersPlane(context, plane));
  const nats = peersLink && (await joinPeers(context, peersLink));
  const http =
    wires.includes('http') &&
    (await lifecycle.open(
      'links to other SPs',
      () =>
        new HttpPeerClient({
          chain,
          providers: () => chain.storageProviders(),
          operatorKey: keys.operator,
          allowPrivateEndpoints: config.peers.allowPrivateEndpoints,
          sizes: metrics,
        }),
      (it) => it.close(),
    ));
  const mail = nats && 'client' in nats ? nats : undefined;
  const client = new PeerWires({ ...(mail && { nats: mail.client }), ...(http && { http }), log });
  const pieces = new PieceWires({ ...(nats && { nats: nats.pieces }), ...(http && { http }) });
  const counts = new PeerCounts();
  watchPeers(metrics.registry, counts);
  return {
    client: countedPeers(tracedPeers(client, traces), counts, metrics),
    host: mail ? countedHost(tracedHost(mail.host, traces), counts, metrics) : absentHost,
    pieces: countedPieces(tracedPieces(pieces, traces), (spId) => pieces.wireTo(spId), counts),
    counts,
    ...(peersLink && { peersLink }),
  };
}

async function connectPeersPlane(context: WiresContext, plane: PlaneConfig): Promise<NatsConnection> {
  const { name, config, lifecycle, metrics, log, signal } = context;
  const peers = await lifecycle.open(
    'connection to the peers plane',
    () => connectPlane({ spId: config.sp.id, name, plane: 'peers', config: plane, log, signal }),
    (it) => it.close(),
  );
  metrics.watchLink('peers', peers);
  return peers;
}

/** Sends and receives columns, as a task node and a receiver do; else there is no mail. */
function exchangesColumns({ roles }: NodeConfig): boolean {
  return hasRole(roles, 'task') || hasRole(roles, 'receiver');
}

async function joinPeers(
  context: WiresContext,
  peers: NatsConnection,
): Promise<Peers | Pick<Peers, 'pieces' | 'close'>> {
  const { config, keys, chain, home, leases, lifecycle, metrics, log, signal } = context;
  const { timing, sp } = config;
  const { replicas } = config.nats.home;
  const options = {
    spId: sp.id,
    chainId: chain.chainId,
    operatorKey: keys.operator,
    providers: () => chain.storageProviders(),
    peers,
    replicas,
    times: { ackWait: timing.ackWaitMs, offer: timing.offerTimeoutMs, stall: timing.stallTimeoutMs },
    notes: leases,
    log,
    sizes: metrics,
  };
  if (!exchangesColumns(config)) {
    return lifecycle.open(
      'peers',
      () => connectForPieces(options),
      (it) => it.close(),
    );
  }
  const join = () => connectPeers({ ...options, home });
  return lifecycle.open(
    'peers',
    () => retryUntilUp('the mailboxes', join, { log, signal }),
    (it) => it.close(),
  );
}
