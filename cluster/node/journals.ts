import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { NatsConnection } from '@nats-io/nats-core';
import { Terminal } from '#protocols/errors';
import { openJetStreamJournal } from '#runtime/journal/jetstream/jetstream-journal';
import type { Journal } from '#runtime/journal/journal';
import { openLevelJournal } from '#runtime/journal/level-journal';
import type { NodeConfig } from '../config/schema.ts';
import { retryUntilUp } from './retry-until-up.ts';
import type { StartContext } from './start-context.ts';

/** Folder of the embedded journal. */
export function journalFolder({ dataDir }: Pick<NodeConfig, 'dataDir'>): string {
  return join(dataDir, 'journal');
}

/** The embedded journal, in the node's data folder. @throws as `openLevelJournal` */
export function openOwnJournal({ config, lifecycle, metrics }: StartContext): Promise<Journal> {
  return lifecycle.open(
    'journal',
    () => openLevelJournal({ directory: journalFolder(config), sizes: metrics }),
    (it) => it.close(),
  );
}

/**
 * The journal that the nodes of the SP share.
 * @throws as `openJetStreamJournal`
 */
export async function openSharedJournal(
  { config, lifecycle, metrics, log, signal }: StartContext,
  connection: NatsConnection,
): Promise<Journal> {
  const { replicas } = config.nats.home;
  const open = () => openJetStreamJournal({ connection, replicas, sizes: metrics });
  return await lifecycle.open(
    'journal',
    () => retryUntilUp('the journal', open, { log, signal }),
    (it) => it.close(),
  );
}

/**
 * Makes the data folder of a node whose journal is shared; an embedded journal makes it by itself.
 * @throws Terminal `bad-data-folder`, `journal-not-moved` when the data folder has an embedded journal
 */
export async function makeDataFolder(config: NodeConfig): Promise<void> {
  await refuseUnmoved(config);
  const { dataDir } = config;
  await mkdir(dataDir, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw new Terminal({
      code: 'bad-data-folder',
      message: `Cannot create the data folder ${dataDir}: ${cause instanceof Error ? cause.message : cause}.`,
      advice: 'Choose another dataDir, or let the user of this process write there.',
      cause,
    });
  });
}

export function hasOwnJournal(config: Pick<NodeConfig, 'dataDir'>): Promise<boolean> {
  return access(journalFolder(config)).then(
    () => true,
    () => false,
  );
}

async function refuseUnmoved(config: NodeConfig): Promise<void> {
  if (!(await hasOwnJournal(config))) return;
  throw new Terminal({
    code: 'journal-not-moved',
    message: `The jobs of this node are in the level journal in ${journalFolder(config)}, but journal.adapter is jetstream.`,
    advice: 'Move them with "sealion journal move --config FILE", or set journal.adapter: level.',
  });
}
