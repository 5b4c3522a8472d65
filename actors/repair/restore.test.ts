import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { checksum } from '#protocols/integrity/checksums';
import { openLevelJournal } from '#runtime/journal/level-journal';
import { withStage } from '../testing/stage.ts';
import { restore } from './restore.ts';

const stage = withStage(test);
const signal = new AbortController().signal;

async function newPorts(t: ExecutionContext) {
  const directory = await mkdtemp(join(tmpdir(), 'sealion-restore-'));
  const journal = await openLevelJournal({ directory });
  t.teardown(async () => {
    await journal.close();
    await rm(directory, { recursive: true, force: true });
  });
  return { ledger: journal.ledger, pieces: await stage().pieces() };
}

function restorationOf(bytes: Uint8Array) {
  return { key: '4711+s0', bytes, checksum: checksum(bytes), because: 'a test lost it' };
}

test('missing pieces are written, existing ones kept, and no note is left', async (t) => {
  const ports = await newPorts(t);
  const restoration = restorationOf(randomBytes(3_000));
  for (const _ of [1, 2]) {
    await restore(restoration, ports, signal);
    t.deepEqual(await ports.pieces.get('4711+s0'), Uint8Array.from(restoration.bytes));
    t.is(await ports.ledger.get('restoring/4711+s0'), undefined);
  }
});

test('the reason is durable before other bytes are deleted', async (t) => {
  const { ledger, pieces } = await newPorts(t);
  await pieces.put('4711+s0', randomBytes(3_000));
  const restoration = restorationOf(randomBytes(3_000));
  let noted: unknown;
  const watched = new Proxy(pieces, {
    get(store, name: keyof typeof pieces) {
      if (name !== 'delete') return store[name].bind(store);
      return async (...args: Parameters<typeof store.delete>) => {
        noted = await ledger.get('restoring/4711+s0');
        await store.delete(...args);
      };
    },
  });
  await restore(restoration, { ledger, pieces: watched }, signal);
  t.like(noted, { because: 'a test lost it', checksum: restoration.checksum });
  t.deepEqual(await pieces.get('4711+s0'), Uint8Array.from(restoration.bytes));
});

test('bytes that do not match their checksum are never written', async (t) => {
  const ports = await newPorts(t);
  const wrong = { ...restorationOf(randomBytes(3_000)), checksum: 'ab'.repeat(32) };
  await t.throwsAsync(restore(wrong, ports, signal), { code: 'restore-unverified' });
  t.is(await ports.pieces.stat('4711+s0'), undefined);
});
