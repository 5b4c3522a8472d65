import { PassThrough } from 'node:stream';
import test from 'ava';
import type { JobContext } from '#protocols/job/context';
import type { JobRecord } from '#runtime/records/records';
import { reportOf, treeOf } from '../../admin/testing/view.ts';
import { confirm } from './act.ts';
import { frameOf } from './frame.ts';
import { jobLines } from './job-lines.ts';
import { nodeRow, peerRow } from './rows.ts';
import { tableLines } from './table.ts';

const NEVER = new AbortController().signal;

test('columns are aligned, and the last one is not padded', (t) => {
  t.deepEqual(
    tableLines([
      ['a', 'bbb', 'c'],
      ['aa', 'b'],
      ['', '', 'long text'],
    ]),
    ['a   bbb  c', 'aa  b', '         long text'],
  );
  t.deepEqual(tableLines([]), []);
});

test('a node is listed with its state and what troubles it', (t) => {
  const row = nodeRow(
    reportOf('sp-1@a', { paused: true, nats: { connected: false, versions: [], jetStream: false } }),
    61_000,
  );
  t.deepEqual(row.slice(0, 4), ['sp-1@a', 'ready, paused', '60.0 s', '0 of 8']);
  t.is(row.at(-1), 'NATS does not answer');
  t.is(nodeRow(reportOf('sp-1@a', { fenced: true }), 0)[1], 'fenced');
});

test('a provider is listed with refusals, failures and its ban', (t) => {
  const row = peerRow(
    {
      spId: 4,
      answeredAt: 1_000,
      approvals: { given: 3, refused: { 'no-space': 2 }, silent: 5 },
      columnsOut: { done: 1, failed: { 'peer-stalled': 1 }, bytes: 1_024 },
      fetched: { done: 0, failed: {}, bytes: 0 },
      served: { done: 2, failed: {}, bytes: 2_048 },
      columnsIn: { done: 0, failed: {}, bytes: 0 },
      bannedUntil: 121_000,
    },
    1_000,
  );
  t.deepEqual(row.slice(3), [
    '0 ms ago',
    '3',
    '2',
    '5',
    '1 (1.0 KiB), 1 failed',
    '0 (0 bytes)',
    'banned for 2 min; refused: no-space ×2; served for repairs: 2 (2.0 KiB)',
  ]);
});

const object = { bucketName: 'photos', objectName: 'a', payloadSize: 1_024, redundancy: 'EC' };
const context = {
  object,
  state: 'ALLOC_SECONDARY_ERROR',
  changedAt: 0,
  receipts: {},
} as unknown as JobContext;

test('a job begins with the reason why it is not sealed', (t) => {
  const lines = jobLines(
    {
      job: '7.0',
      why: 'SP 4 does not answer.',
      advice: 'Start it.',
      context,
      events: [
        {
          type: 'AllocationFailed',
          at: 0,
          failure: { code: 'no-group', message: 'none', attempt: 1, resume: 'ALLOC_SECONDARY_DOING' },
        },
      ],
      actors: [],
      columns: [],
      approvals: [{ spId: 4, approved: false, reason: 'no room' }],
      nextTryAt: 10_000,
    },
    5_000,
  );
  t.deepEqual(lines.slice(0, 2), ['SP 4 does not answer.', 'Start it.']);
  t.true(lines.includes('next try  in 5.0 s'));
  t.true(lines.includes('  sp 4  refused  no room'));
  t.is(lines.at(-1), '  1970-01-01 00:00:00.000Z  AllocationFailed  none (no-group)');
});

const record: JobRecord = {
  job: { objectId: '7', version: 0 },
  state: 'ALLOC_SECONDARY_ERROR',
  bucketName: 'photos',
  objectName: 'a',
  payloadSize: 1_024,
  createdAt: 0,
  changedAt: 0,
};

test('the live view has nodes, queue and open jobs, or the actors', (t) => {
  const nodes = { reports: [reportOf('sp-1@a')], silent: ['sp-1@b'] };
  const queue = { waiting: { [record.state]: 1 }, oldest: { ...record, createdAt: 0 } };
  const { head, body } = frameOf({ at: 5_000, nodes, queue, jobs: [record] });
  t.true(head.includes('sp-1@b  does not answer'));
  t.true(head.includes('Open jobs: 1 ALLOC_SECONDARY_ERROR; the oldest, 7.0, for 5.0 s'));
  t.regex(body[1] ?? '', /^7\.0 +ALLOC_SECONDARY_ERROR +1\.0 KiB +5\.0 s ago +photos\/a$/);
  const trees = { trees: [treeOf('sp-1@a')], silent: ['sp-1@b'] };
  const tree = frameOf({ at: 0, nodes, trees, missing: 'The SQL DB does not answer.' });
  t.deepEqual(tree.body, ['sp-1@a', 'sp-1@b  does not answer']);
  t.true(tree.head.includes('The SQL DB does not answer.'));
});

function terminal(answer: string | undefined) {
  const output = Object.assign(new PassThrough(), { isTTY: true });
  const input = Object.assign(new PassThrough(), { isTTY: answer !== undefined });
  if (answer !== undefined) input.end(answer);
  return { input, output };
}

test('an action is done after a yes, and not without one', async (t) => {
  const { input, output } = terminal('y\n');
  await t.notThrowsAsync(confirm('reject', '7.0', NEVER, { input, output }));
  t.regex(String(output.read()), /Give up 7\.0 and reject it on chain\? .* cannot be undone\. \[y\/N\] /);
  for (const answer of ['n\n', '\n', '', undefined]) {
    await t.throwsAsync(confirm('drain', 'a', NEVER, terminal(answer)), { code: 'not-confirmed' });
  }
});
