import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Ledger } from '#runtime/journal/journal';
import { openLevelJournal } from '#runtime/journal/level-journal';
import { Approvals, type GivenApproval } from './approvals.ts';

const { signal } = new AbortController();
const OTHER = { objectId: '999999', version: 0 };

/** A ledger on disk that counts its writes. */
async function counted(t: ExecutionContext): Promise<{ ledger: Ledger; writes: () => number }> {
  const directory = await mkdtemp(join(tmpdir(), 'sealion-approvals-'));
  const journal = await openLevelJournal({ directory });
  t.teardown(async () => {
    await journal.close();
    await rm(directory, { recursive: true, force: true });
  });
  const { ledger } = journal;
  let writes = 0;
  const counting = <A extends readonly unknown[]>(write: (...about: A) => Promise<void>) => {
    return (...about: A) => {
      writes += 1;
      return write(...about);
    };
  };
  return {
    ledger: {
      get: (key) => ledger.get(key),
      entries: (prefix, options) => ledger.entries(prefix, options),
      put: counting((key: string, value: unknown) => ledger.put(key, value)),
      delete: counting((key: string) => ledger.delete(key)),
      deleteAll: counting((keys: readonly string[]) => ledger.deleteAll(keys)),
    },
    writes: () => writes,
  };
}

function approval(id: number, expiresAt: number): GivenApproval {
  return { job: { objectId: String(id), version: 0 }, primarySpId: 1, granted: [], bytes: 10, expiresAt };
}

test('an expired approval does not count, and asking about it writes nothing', async (t) => {
  const { ledger, writes } = await counted(t);
  const approvals = await Approvals.load(ledger, signal);
  await approvals.give(approval(1, 100));
  await approvals.give(approval(2, 200));
  const before = writes();
  t.deepEqual(approvals.outstanding(OTHER, 99), { count: 2, bytes: 20 });
  t.deepEqual(approvals.outstanding(OTHER, 99, 3), { count: 6, bytes: 60 }, 'of three nodes');
  const later = await Approvals.load(ledger, signal);
  t.deepEqual(later.outstanding(OTHER, 99, 3), { count: 2, bytes: 20 }, 'those of all were found');
  t.deepEqual(approvals.outstanding(OTHER, 100), { count: 1, bytes: 10 });
  t.deepEqual(approvals.outstanding({ objectId: '2', version: 0 }, 99), { count: 1, bytes: 10 });
  t.is(writes(), before);
});

test('a standing approval counts beside those for objects, and replaces the last one for its group', async (t) => {
  const { ledger } = await counted(t);
  const approvals = await Approvals.load(ledger, signal);
  const standing = (id: number, gvgId: number): GivenApproval => ({
    ...approval(id, 100),
    granted: [{ gvgId, redundancyIndex: 0 }],
    bytes: 1_000,
    standing: true,
  });
  for (const given of [approval(1, 100), standing(1, 7), standing(2, 7), standing(2, 8)])
    await approvals.give(given);
  t.deepEqual(approvals.outstanding(OTHER, 0), { count: 3, bytes: 2_010 });
  t.deepEqual((await Approvals.load(ledger, signal)).outstanding(OTHER, 0), { count: 3, bytes: 2_010 });
});

test('thousands of expired approvals are removed in a few bounded writes', async (t) => {
  const { ledger, writes } = await counted(t);
  const approvals = await Approvals.load(ledger, signal);
  await Promise.all(Array.from({ length: 2_500 }, (_, i) => approvals.give(approval(i + 1, 100))));
  await approvals.give(approval(3_000, 200));
  const before = writes();
  t.false(await approvals.forgetExpired(100));
  t.false(await approvals.forgetExpired(100));
  t.true(await approvals.forgetExpired(100));
  t.true(await approvals.forgetExpired(100));
  t.is(writes() - before, 3);
  const later = await Approvals.load(ledger, signal);
  t.deepEqual(later.outstanding(OTHER, 0), { count: 1, bytes: 10 });
});

for (const forgetsFirst of [true, false]) {
  test(`an approval renewed while the expired one is removed is kept, begun ${forgetsFirst ? 'after' : 'before'} it`, async (t) => {
    const { ledger } = await counted(t);
    const approvals = await Approvals.load(ledger, signal);
    await approvals.give(approval(1, 100));
    const orders = [() => approvals.forgetExpired(100), () => approvals.give(approval(1, 500))];
    await Promise.all((forgetsFirst ? orders : orders.reverse()).map((order) => order()));
    t.deepEqual(approvals.outstanding(OTHER, 200), { count: 1, bytes: 10 });
    t.deepEqual((await Approvals.load(ledger, signal)).outstanding(OTHER, 200), { count: 1, bytes: 10 });
  });
}
