import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { NatsConnection } from '@nats-io/nats-core';
import type { ExecutionContext } from 'ava';
import { APPROVAL_LIMITS, type ApprovalLimits } from '#actors/secondary/approval-policy';
import { type ApproverMessage, approver } from '#actors/secondary/approver';
import type { SecondaryPorts, SecondaryTiming } from '#actors/secondary/ports';
import { type ReceiversMessage, receivers } from '#actors/secondary/receivers';
import { SUPERVISION } from '#actors/supervision';
import { createActorSystem } from '#runtime/actors/system';
import type { ActorSystem, Ref } from '#runtime/actors/types';
import type { Journal } from '#runtime/journal/journal';
import { openLevelJournal } from '#runtime/journal/level-journal';
import { Background } from '#runtime/load/background';
import { accountsConfig, homeUser, peersInbox, peersUser, type SpAccount } from '#runtime/nats/accounts';
import { connectNats } from '#runtime/nats/connect';
import { type NatsServer, startNatsServer } from '#runtime/nats/server';
import { connectPeers, type Peers } from '#runtime/peers/nats/connect-peers';
import { PeerCounts } from '#runtime/peers/peer-counts';
import { openNatsPieceStore } from '#runtime/pieces/nats-piece-store';
import { silentLogger } from '#runtime/telemetry/logger';
import { type ChainFixture, type FixtureOptions, startChain } from '../devnet/chain/testing.ts';
import { keysOf } from './offers.ts';

/** A chain and a nats-server that all SPs share; both end with the test. */
export interface World {
  readonly fixture: ChainFixture;
  readonly server: NatsServer;
}

export async function startWorld(t: ExecutionContext, options: FixtureOptions = {}): Promise<World> {
  const fixture = await startChain(t, { storage: { maxSegmentSize: 1024 }, ...options });
  const accounts = fixture.genesis.sps.map(({ id }) => accountOf(id));
  const server = await startNatsServer({ config: accountsConfig(accounts) });
  t.teardown(() => server.stop());
  return { fixture, server };
}

function accountOf(spId: number): SpAccount {
  return { spId, homePassword: `home-password-of-${spId}`, peersPassword: `peers-password-of-${spId}` };
}

/** The connections of one SP to both planes. */
export interface Member {
  readonly peers: Peers;
  readonly home: NatsConnection;
  leave(): Promise<void>;
}

export async function join(t: ExecutionContext, { fixture, server }: World, spId: number): Promise<Member> {
  const { homePassword, peersPassword } = accountOf(spId);
  const url = server.url;
  const log = silentLogger;
  const home = await connectNats({ url, user: homeUser(spId), password: homePassword, name: 'home', log });
  const plane = await connectNats({
    url,
    user: peersUser(spId),
    password: peersPassword,
    inboxPrefix: peersInbox(spId),
    name: 'peers',
    log,
  });
  const peers = await connectPeers({
    spId,
    chainId: fixture.chain.chainId,
    operatorKey: keysOf(fixture, spId).operator,
    providers: () => fixture.chain.storageProviders(),
    peers: plane,
    home,
    log,
  });
  const leave = async () => {
    await peers.close();
    await Promise.all([home.close(), plane.close()]);
  };
  t.teardown(leave);
  return { peers, home, leave };
}

/** The secondary's actors of one SP, on real stores. */
export interface Secondary {
  readonly system: ActorSystem;
  readonly ports: SecondaryPorts;
  readonly journal: Journal;
  readonly home: NatsConnection;
  readonly receivers: Ref<ReceiversMessage>;
  readonly approver: Ref<ApproverMessage>;
  stop(): Promise<void>;
}

export interface SecondaryOptions {
  /** Directory of an earlier one, to start with its ledger. */
  readonly directory?: string;
  readonly limits?: Partial<ApprovalLimits>;
  readonly freeBytes?: number;
  readonly timing?: Partial<SecondaryTiming>;
}

export async function temporaryDirectory(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'sealion-secondary-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

export async function startSecondary(
  t: ExecutionContext,
  world: World,
  spId: number,
  options: SecondaryOptions = {},
): Promise<Secondary> {
  const { chain } = world.fixture;
  const directory = options.directory ?? (await temporaryDirectory(t));
  const { peers, home, leave } = await join(t, world, spId);
  const journal = await openLevelJournal({ directory });
  const ports: SecondaryPorts = {
    spId,
    chain,
    ledger: journal.ledger,
    pieces: await openNatsPieceStore({ connection: home, bucket: 'pieces', log: silentLogger }),
    host: peers.host,
    counts: new PeerCounts(),
    keys: keysOf(world.fixture, spId),
    timing: { chainLagMs: 500, chainPollMs: 20, taskLagMs: 500, taskPollMs: 20, ...options.timing },
  };
  const system = createActorSystem({ name: `sp-${spId}@a`, supervision: SUPERVISION, log: silentLogger });
  const freeBytes = async () => options.freeBytes ?? 2 ** 40;
  const limits = { ...APPROVAL_LIMITS, ...options.limits };
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= (async () => {
      await system.stop();
      await leave();
      await journal.close();
    })();
    return stopped;
  };
  t.teardown(stop);
  const approving = system.spawn('approver', approver({ ports, limits, freeBytes }));
  const background = new Background(1);
  t.teardown(() => background.close());
  const receiving = system.spawn(
    'receivers',
    receivers({ ports, approver: approving, limit: 10, background }),
  );
  return { system, ports, journal, home, receivers: receiving, approver: approving, stop };
}

/** Resolves when the condition holds; gives up after 3 min. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 180_000;
  while (!(await condition())) {
    if (performance.now() > giveUpAt) throw new Error('the awaited condition did not become true');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
