import test from 'ava';
import type { JobCommand } from './commands.ts';
import {
  after,
  allocation,
  CREATE,
  FORWARD,
  failure,
  HASHES,
  HOUR,
  OBJECT,
  receipt,
  refusal,
  run,
  SPS,
} from './testing/commands.ts';

test('a receipt counts once, and must have the right bytes, group and index', (t) => {
  const doing = after('StartReplication');
  const complete = (change: object): JobCommand => ({
    type: 'CompleteSecondary',
    at: 7,
    receipt: { ...receipt(0), ...change },
  });
  t.is(refusal([complete({ spId: 3 })], doing), 'receipt-foreign');
  t.is(refusal([complete({ gvgId: 6 })], doing), 'receipt-foreign');
  t.is(refusal([complete({ redundancyIndex: 6 })], doing), 'receipt-foreign');
  t.is(refusal([complete({ integrityHash: HASHES[0] })], doing), 'receipt-mismatch');
  t.is(run([complete({}), complete({})], doing).revision, doing.revision + 1);
  t.is(refusal([complete({}), { type: 'CompleteReplication', at: 8 }], doing), 'receipts-missing');
});

test('a change of group voids the receipts, the same group keeps them', (t) => {
  const failed = run(
    [
      { type: 'CompleteSecondary', at: 7, receipt: receipt(0) },
      { type: 'FailReplication', at: 8, failure: failure('ALLOC_SECONDARY_DOING') },
      { type: 'StartAllocation', at: 9, excludeGvgId: 5 },
    ],
    after('StartReplication'),
  );
  t.deepEqual(failed.excludedGvgIds, [5]);
  t.deepEqual(Object.keys(run([allocation(10)], failed).receipts), ['0']);
  t.deepEqual(run([allocation(10, 6)], failed).receipts, {});
});

test('the receipt of a member that left the group is dropped', (t) => {
  const failed = run(
    [
      { type: 'CompleteSecondary', at: 7, receipt: receipt(0) },
      { type: 'CompleteSecondary', at: 7, receipt: receipt(1) },
      { type: 'FailReplication', at: 8, failure: failure('ALLOC_SECONDARY_DOING') },
      { type: 'StartAllocation', at: 9 },
    ],
    after('StartReplication'),
  );
  const swapped = allocation(10);
  if (swapped.type !== 'CompleteAllocation') return t.fail();
  const secondarySpIds = [9, ...SPS.slice(1)];
  const approvals = swapped.approvals.map((approval, i) => (i === 0 ? { ...approval, spId: 9 } : approval));
  t.deepEqual(Object.keys(run([{ ...swapped, secondarySpIds, approvals }], failed).receipts), ['1']);
});

test('receipts whose seal the chain refused are not used again', (t) => {
  const again = run(
    [
      { type: 'FailSeal', at: 12, failure: failure('ALLOC_SECONDARY_DOING') },
      { type: 'StartAllocation', at: 13 },
      allocation(14),
    ],
    after('StartSeal'),
  );
  t.deepEqual(again.receipts, {});
});

test('failed replications are counted per allocation', (t) => {
  const failed = run(
    [{ type: 'FailReplication', at: 8, failure: failure('ALLOC_SECONDARY_DOING') }],
    after('StartReplication'),
  );
  t.is(failed.allocation?.failedTries, 1);
  t.is(run([{ type: 'StartAllocation', at: 9 }, allocation(10)], failed).allocation?.failedTries, 0);
});

test('a delegated upload supplies the checksums of all columns, and receipts must match them', (t) => {
  const object = { ...OBJECT, checksums: [] };
  const begun = run([
    { ...CREATE, object } as JobCommand,
    { type: 'StartUpload', at: 2, deadlineAt: 24 * HOUR },
  ]);
  const complete = { ...(FORWARD[2] as Extract<JobCommand, { type: 'CompleteUpload' }>) };
  t.is(refusal([complete], begun), 'checksums-missing');
  t.is(refusal([{ ...complete, checksums: HASHES.slice(1) }], begun), 'checksums-missing');
  const replicating = run([{ ...complete, checksums: HASHES }, ...FORWARD.slice(3, 6)], begun);
  t.is(
    refusal(
      [{ type: 'CompleteSecondary', at: 7, receipt: { ...receipt(0), integrityHash: 'ff' } }],
      replicating,
    ),
    'receipt-mismatch',
  );
  t.is(refusal([{ type: 'CompleteSecondary', at: 7, receipt: receipt(0) }], replicating), undefined);
});
