import { join } from 'node:path';
import type { NatsConnection } from '@nats-io/nats-core';
import { fallbackCause } from '#protocols/greenfield/secp256k1/secp256k1';
import type { Chain, ChainBalances } from '#runtime/chain/chain';
import { connectChain } from '#runtime/chain/connect';
import { measuredChain } from '#runtime/chain/measured-chain';
import { type Home, openHome } from '#runtime/home/open-home';
import { readCertificate } from '#runtime/http/certificate';
import { LeaseBook } from '#runtime/jobs/lease-book';
import { fencedJournal } from '#runtime/journal/fenced-journal';
import type { Journal } from '#runtime/journal/journal';
import { measuredJournal } from '#runtime/journal/measured-journal';
import { withAbsentKeys } from '#runtime/keys/absent-key';
import { type KeySources, type LoadedKeys, openKeyring } from '#runtime/keys/keyring';
import type { Keyring } from '#runtime/keys/keys';
import { measuredPieceStore } from '#runtime/pieces/measured-piece-store';
import { hasRole, KEYS, needsKey } from '../config/roles.ts';
import type { NodeConfig } from '../config/schema.ts';
import { connectPlane } from './connect-plane.ts';
import { ownProvider } from './identity.ts';
import { makeDataFolder, openOwnJournal, openSharedJournal } from './journals.ts';
import { retryUntilUp } from './retry-until-up.ts';
import type { StartContext } from './start-context.ts';
import { readBytes } from './tree.ts';

/** The base of a node: the keys that its roles need, its storage, and the chain. */
export interface Foundation {
  readonly keys: Keyring;
  /** For reading; all appends go through `ownJournal`. */
  readonly journal: Journal;
  /** Refuses appends once another node has succeeded this one. */
  readonly ownJournal: Journal;
  readonly chain: Chain & ChainBalances;
  readonly homeLink: NatsConnection;
  readonly home: Home;
  /** Absent on a node that serves clients only. */
  readonly leases?: LeaseBook;
}

interface HomeLinks {
  readonly homeLink: NatsConnection;
  readonly readLink: NatsConnection;
}

/**
 * Opens journal, chain and home plane, in this order, waiting until each can be reached.
 * @throws as `startNode`
 */
export async function openFoundation(node: StartContext): Promise<Foundation> {
  const { config, log } = node;
  const loaded = await openKeyring(neededKeys(config));
  // Checked first: the gateway opens last, and a bad certificate should be reported before any waiting.
  if (config.gateway.tls) await readCertificate(config.gateway.tls);
  if (fallbackCause !== undefined) {
    log.warn(
      { cause: String(fallbackCause) },
      'signing in JavaScript, which costs twenty times the CPU of the native library',
    );
  }
  // Opened first: its lock keeps a second process out of the data folder.
  const embedded = config.journal.adapter === 'level' ? await openOwnJournal(node) : undefined;
  if (!embedded) await makeDataFolder(config);
  const leases = holdsLeases(config)
    ? await node.lifecycle.open(
        'leases',
        () => LeaseBook.open({ directory: join(config.dataDir, 'leases'), log }),
        (it) => it.close(),
      )
    : undefined;
  const { chain, keys } = await openChain(node, loaded);
  const { homeLink, readLink } = await connectHomePlane(node);
  const journal = embedded ?? (await openSharedJournal(node, homeLink));
  const home = await openHomePlane(node, {
    homeLink,
    readLink,
    ...(leases && { leases }),
    ...(embedded && { journal: embedded.id }),
  });
  const { succession } = home;
  const fenced = succession ? fencedJournal(journal, () => succession.check()) : journal;
  const { metrics } = node;
  metrics.watchLink('home', homeLink);
  metrics.watchLink('home_reads', readLink);
  const ownJournal = measuredJournal(fenced, metrics);
  return {
    keys,
    journal,
    ownJournal,
    chain,
    homeLink,
    ...(leases && { leases }),
    home: { ...home, pieces: measuredPieceStore(home.pieces, metrics) },
  };
}

/** Where the keys are that the roles of this node sign with; others are not read. */
function neededKeys({ keys, roles, peers }: NodeConfig): Partial<KeySources> {
  const needed = KEYS.filter((key) => keys[key] && needsKey(roles, key, peers.wires));
  return Object.fromEntries(needed.map((key) => [key, keys[key]]));
}

/** Jobs, roles, or offers of other SPs. */
function holdsLeases({ roles }: NodeConfig): boolean {
  return (['task', 'keeper', 'receiver'] as const).some((role) => hasRole(roles, role));
}

/** Connects to the chain, and checks that our keys are those registered for the SP. */
async function openChain(
  { config, lifecycle, metrics, log, signal }: StartContext,
  loaded: LoadedKeys,
): Promise<{ readonly chain: Chain & ChainBalances; readonly keys: Keyring }> {
  const { sp } = config;
  const chain = await lifecycle.open(
    'chain',
    () => connectChain({ ...config.chain, log, sizes: metrics }),
    (it) => it.close(),
  );
  const own = await retryUntilUp(
    'the chain',
    async () => {
      await chain.latestBlock({ signal });
      return ownProvider(await chain.storageProviders({ signal }), loaded, sp.id, sp.operatorAddress);
    },
    { log, signal },
  );
  log.info(
    { spId: own.id, operator: own.operatorAddress, status: own.status },
    'the keys match the SP on chain',
  );
  return { chain: measuredChain(chain, metrics), keys: withAbsentKeys(loaded, own) };
}

/** Connects to the home plane twice, since payload that clients read must not delay anything else. */
async function connectHomePlane({ name, config, lifecycle, log, signal }: StartContext): Promise<HomeLinks> {
  const connection = (clientName: string) => () =>
    connectPlane({
      spId: config.sp.id,
      name: clientName,
      plane: 'home',
      config: config.nats.home,
      log,
      signal,
    });
  const homeLink = await lifecycle.open('connection to the home plane', connection(name), (it) => it.close());
  const readLink = await lifecycle.open(
    'connection to the home plane for reading payload',
    connection(`${name} reads`),
    (it) => it.close(),
  );
  return { homeLink, readLink };
}

/** Opens the streams of the home plane. @param on.journal id of the journal that belongs to this node alone */
async function openHomePlane(
  { name, config, metrics, log, signal }: StartContext,
  on: HomeLinks & { readonly leases?: LeaseBook; readonly journal?: string },
): Promise<Home> {
  const { homeLink, readLink, leases, journal } = on;
  const { replicas, syncAlways, shared } = config.nats.home;
  return await retryUntilUp(
    'the streams of the home plane',
    () =>
      openHome({
        connection: homeLink,
        readConnection: readLink,
        readMemory: readBytes(config.limits.byteBudget),
        node: name,
        ...(journal !== undefined && { journal }),
        replicas,
        syncAlways,
        shared,
        ackWaitMs: config.timing.ackWaitMs,
        ...(leases && { leases }),
        log,
        sizes: metrics,
      }),
    { log, signal },
  );
}
