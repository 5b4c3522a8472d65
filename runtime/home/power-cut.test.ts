import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { JobEvent } from '#protocols/job/events';
import { openJetStreamJournal } from '../journal/jetstream/jetstream-journal.ts';
import type { Journal } from '../journal/journal.ts';
import { openLevelJournal } from '../journal/level-journal.ts';
import { findCurrentNatsServer } from '../nats/binary.ts';
import { connectNats } from '../nats/connect.ts';
import { startNatsServer } from '../nats/server.ts';
import { silentLogger as log } from '../telemetry/logger.ts';
import { canMount, type Disk, newDisk } from '../testing/disk.ts';
import { openHome } from './open-home.ts';

const binary = await findCurrentNatsServer();
const isPossible = binary !== undefined && (await canMount());
const testCut = isPossible ? test.serial : test.serial.skip;
const NEEDS = isPossible ? '' : ' (needs root, loop devices and nats-server 2.10)';

const JOBS = Array.from({ length: 10 }, (_, i) => ({ objectId: String(i + 1), version: 0 }));
const PIECES = JOBS.map((_, i) => ({ key: `piece-${i}`, bytes: randomBytes(1 + i * 40_000) }));
const started: JobEvent = { type: 'UploadStarted', at: 1, attempt: 1, deadlineAt: 1 };

/** Where an acknowledgement leaves something: the home plane with the JetStream journal, and the level journal. */
async function open(t: ExecutionContext, disk: Disk, syncAlways: boolean) {
  const server = await startNatsServer({
    ...(binary !== undefined && { binary }),
    config: `jetstream { ${syncAlways ? 'sync_interval: always' : ''} }`,
    storeDir: join(disk.folder, 'nats'),
  });
  t.teardown(() => server.kill());
  const connection = await connectNats({ url: server.url, name: 'test', log });
  t.teardown(() => connection.close());
  const home = await openHome({ connection, node: 'sp-1@a', syncAlways, log });
  const shared = await openJetStreamJournal({ connection });
  t.teardown(() => shared.close());
  const own = await openLevelJournal({ directory: join(disk.folder, 'level') });
  t.teardown(() => own.close());
  return { server, home, shared, own };
}

/** Writes what an acknowledgement needs, then cuts the power. @returns what is found afterwards */
async function cut(t: ExecutionContext, syncAlways: boolean) {
  const disk = await newDisk(t);
  const { server, home, shared, own } = await open(t, disk, syncAlways);
  for (const { key, bytes } of PIECES) await home.pieces.put(key, bytes);
  for (const job of JOBS) {
    await Promise.all([shared, own].map((journal) => journal.append(job, 1, started)));
    await home.queue.enqueue(job);
  }
  process.kill(server.pid, 'SIGSTOP');
  const after = await open(t, await disk.afterPowerCut(), syncAlways);
  const events = async (journal: Journal) => {
    const found = await Promise.all(JOBS.map((job) => journal.read(job)));
    return found.filter(([first]) => first?.event.type === started.type).length;
  };
  const held = await Promise.all(
    PIECES.map(({ key, bytes }) =>
      after.home.pieces.get(key).then(
        (found) => bytes.equals(found),
        () => false,
      ),
    ),
  );
  const queued = await Promise.all(JOBS.map((job) => after.home.queue.has(job)));
  return {
    durability: after.home.durability,
    pieces: held.filter(Boolean).length,
    queued: queued.filter(Boolean).length,
    'JetStream journal': await events(after.shared),
    'level journal': await events(after.own),
  };
}

const ALL = { pieces: 10, queued: 10, 'JetStream journal': 10, 'level journal': 10 };

testCut(`power-safe: a power cut loses nothing that was acknowledged${NEEDS}`, async (t) => {
  t.deepEqual(await cut(t, true), { durability: 'power-safe', ...ALL });
});

testCut(`crash-safe: a power cut loses what the server has not synced yet${NEEDS}`, async (t) => {
  const { durability, pieces, ...rest } = await cut(t, false);
  t.is(durability, 'crash-safe');
  t.true(pieces < ALL.pieces);
  t.is(rest['level journal'], ALL['level journal'], 'the level journal syncs by itself');
});
