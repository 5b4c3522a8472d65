import { rename } from 'node:fs/promises';
import { Terminal } from '#protocols/errors';
import { type Moved, moveJournal } from '#runtime/journal/jetstream/move';
import { openLevelJournal } from '#runtime/journal/level-journal';
import { silentLogger } from '#runtime/telemetry/logger';
import { loadConfig } from '../config/load.ts';
import type { NodeConfig } from '../config/schema.ts';
import { connectPlane } from '../node/connect-plane.ts';
import { hasOwnJournal, journalFolder } from '../node/journals.ts';
import type { Reporter } from './reporter.ts';
import { count } from './units.ts';

/**
 * `sealion journal move`: moves the level journal of a stopped node to JetStream, where the nodes of an SP share it.
 * The old folder is then renamed, so that no node uses it again.
 */
export async function journalMove(
  options: { readonly config: string },
  report: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const config = await loadConfig(options.config);
  const folder = journalFolder(config);
  if (!(await hasOwnJournal(config))) {
    throw new Terminal({
      code: 'no-journal',
      message: `There is no level journal in ${folder}.`,
      advice: 'Give the configuration of the node whose journal you want to move.',
    });
  }
  const moved = await copyJournal(config, folder, signal);
  const kept = `${folder}.moved-${new Date()
    .toISOString()
    .replace(/[^0-9T]/g, '')
    .slice(0, 15)}`;
  await rename(folder, kept);
  const { openJobs, endedJobs, events, ledgerEntries } = moved;
  report.line(
    [
      `Moved to JetStream: ${count(openJobs, 'open job')} and ${count(endedJobs, 'ended job')} with ${count(events, 'event')}, and ${count(ledgerEntries, 'record')} of the ledger.`,
      `The level journal is kept in ${kept}.`,
      'Set journal.adapter: jetstream, and start the node.',
    ],
    { event: 'moved', ...moved, kept },
  );
}

async function copyJournal(config: NodeConfig, folder: string, signal: AbortSignal): Promise<Moved> {
  const from = await openLevelJournal({ directory: folder });
  try {
    const connection = await connectPlane({
      spId: config.sp.id,
      name: `sp-${config.sp.id}@${config.node} move`,
      plane: 'home',
      config: config.nats.home,
      log: silentLogger,
      signal,
    });
    try {
      return await moveJournal({ from, connection, replicas: config.nats.home.replicas, signal });
    } finally {
      await connection.close();
    }
  } finally {
    await from.close();
  }
}
