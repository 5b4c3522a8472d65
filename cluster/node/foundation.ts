import { join } from 'node:path';
import type { NatsConnection } from '@nats-io/nats-core';
import { fallbackCause } from '#protocols/greenfield/secp256k1/secp256k1';
import type { Chain } from '#runtime/chain/chain';
import { connectChain } from '#runtime/chain/connect';
import { type Home, openHome } from '#runtime/home/open-home';
import { readCertificate } from '#runtime/http/certificate';
import { fencedJournal } from '#runtime/journal/fenced-journal';
import type { Journal } from '#runtime/journal/journal';
import { openLevelJournal } from '#runtime/journal/level-journal';
import { openKeyring } from '#runtime/keys/keyring';
import type { Keyring } from '#runtime/keys/keys';
import { connectPlane } from './connect-plane.ts';
import { ownProvider } from './identity.ts';
import { retryUntilUp } from './retry-until-up.ts';
import type { StartContext } from './start-context.ts';
import { readBytes } from './tree.ts';

/** What everything else of a node stands on: its keys, what it stores, and the chain. */
export interface Foundation {
  readonly keys: Keyring;
  /** As this process reads it; whatever appends goes through `ownJournal`. */
  readonly journal: Journal;
  /** Refuses appends once another node has succeeded this one. */
  readonly ownJournal: Journal;
  readonly chain: Chain;
  readonly homeLink: NatsConnection;
  readonly home: Home;
}

/**
 * Opens journal, chain and home plane, in this order, and waits for what cannot be reached yet.
 * @throws as `startNode`
 */
export async function openFoundation(node: StartContext): Promise<Foundation> {
  const { config, lifecycle, log } = node;
  const keys = await openKeyring(config.keys);
  // The gateway opens last; a fault of its certificate is better known before anything else is waited for.
  if (config.gateway.tls) await readCertificate(config.gateway.tls);
  if (fallbackCause !== undefined) {
    log.warn(
      { cause: String(fallbackCause) },
      'signing in JavaScript, which costs twenty times the CPU of the native library',
    );
  }
  // Opened first: its lock keeps a second process out of the data folder.
  const journal = await lifecycle.open(
    'journal',
    () => openLevelJournal({ directory: join(config.dataDir, 'journal') }),
    (it) => it.close(),
  );
  const chain = await openChain(node, keys);
  const { homeLink, home } = await openHomePlane(node, journal.id);
  const ownJournal = fencedJournal(journal, () => home.succession.check());
  return { keys, journal, ownJournal, chain, homeLink, home };
}

/** Connects to the chain, and makes sure that the keys are those of the SP there. */
async function openChain({ config, lifecycle, log, signal }: StartContext, keys: Keyring): Promise<Chain> {
  const { sp } = config;
  const chain = await lifecycle.open(
    'chain',
    () => connectChain({ ...config.chain, log }),
    (it) => it.close(),
  );
  const own = await retryUntilUp(
    'the chain',
    async () => {
      await chain.latestBlock({ signal });
      return ownProvider(await chain.storageProviders({ signal }), keys, sp.id, sp.operatorAddress);
    },
    { log, signal },
  );
  log.info(
    { spId: own.id, operator: own.operatorAddress, status: own.status },
    'the keys match the SP on chain',
  );
  return chain;
}

/** Connects to the home plane twice, since payload that clients read must not hold up anything else, and opens its streams. */
async function openHomePlane(
  { name, config, lifecycle, log, signal }: StartContext,
  journalId: string,
): Promise<Pick<Foundation, 'homeLink' | 'home'>> {
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
  const { replicas, syncAlways, shared } = config.nats.home;
  const home = await retryUntilUp(
    'the streams of the home plane',
    () =>
      openHome({
        connection: homeLink,
        readConnection: readLink,
        readMemory: readBytes(config.limits.byteBudget),
        node: name,
        journal: journalId,
        replicas,
        syncAlways,
        shared,
        ackWaitMs: config.timing.ackWaitMs,
        log,
      }),
    { log, signal },
  );
  return { homeLink, home };
}
