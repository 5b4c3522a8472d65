import test, { type ExecutionContext } from 'ava';
import { Approvals } from '#actors/secondary/approvals';
import type { ApprovalAnswer, ApprovalAsk, PeerClient } from '#runtime/peers/peers';
import { createBucket } from '../devnet/chain/testing.ts';
import { join, type SecondaryOptions, startSecondary, startWorld, temporaryDirectory } from './secondary.ts';

/** This SP is SP 3, which has index 1 in the only group of SP 1. */
const US = 3;
const MEMBERS = [2, 3, 4, 5, 6, 7];
const ASK: ApprovalAsk = {
  job: { objectId: '4711', version: 0 },
  primarySpId: 1,
  bucketName: 'bucket-1',
  objectName: 'object',
  // Too large for a standing approval, which would be asked for beside this one and count as well.
  payloadSize: 400_000,
  redundancy: 'EC',
  groups: [{ gvgId: 1, secondarySpIds: MEMBERS }],
};
/** Size of a column of the payload in segments of 1024 bytes: a quarter of each. */
const COLUMN_BYTES = 100_000;

async function start(t: ExecutionContext, options: SecondaryOptions = {}) {
  const world = await startWorld(t);
  await createBucket(world.fixture, 'bucket-1', 1);
  const primary = (await join(t, world, 1)).peers.client;
  return { world, primary, us: await startSecondary(t, world, US, options) };
}

/** This SP's answer; undefined when there is none within a short time. */
async function ask(
  client: PeerClient,
  changes: Partial<ApprovalAsk> = {},
  timeoutMs = 5_000,
): Promise<ApprovalAnswer | undefined> {
  for await (const answer of client.ask({ ...ASK, ...changes }, { timeoutMs })) {
    if (answer.spId === US) return answer;
  }
  return undefined;
}

/** Repeats the ask, since the actor begins to serve only a moment after its start. */
async function firstAnswer(client: PeerClient, changes: Partial<ApprovalAsk> = {}): Promise<ApprovalAnswer> {
  for (let tries = 0; tries < 20; tries += 1) {
    const answer = await ask(client, changes, 2_000);
    if (answer) return answer;
  }
  throw new Error('nobody answers');
}

test('a membership confirmed by the chain is approved, and the approval is stored', async (t) => {
  const { primary, us } = await start(t);
  const answer = await firstAnswer(primary);
  t.deepEqual(answer.granted, [{ gvgId: 1, redundancyIndex: 1 }]);
  t.deepEqual(answer.refused, []);
  t.true(answer.expiresAt > Date.now() + 60_000);
  const { signal } = new AbortController();
  const approvals = await Approvals.load(us.ports.ledger, signal);
  const other = { objectId: '1', version: 0 };
  t.deepEqual(approvals.outstanding(other, Date.now()), { count: 1, bytes: COLUMN_BYTES });
  t.deepEqual(approvals.outstanding(ASK.job, Date.now()), { count: 0, bytes: 0 });
  t.deepEqual(approvals.outstanding(other, answer.expiresAt), { count: 0, bytes: 0 });
  t.true(await approvals.forgetExpired(answer.expiresAt));
  for await (const [key] of us.ports.ledger.entries('approval/')) t.fail(`${key} has expired and is kept`);
});

test('a membership that the chain does not confirm is refused with the reason', async (t) => {
  const { world, primary } = await start(t);
  const groups = [
    { gvgId: 1, secondarySpIds: [3, 2, 4, 5, 6, 7] },
    { gvgId: 2, secondarySpIds: MEMBERS },
    { gvgId: 99, secondarySpIds: MEMBERS },
  ];
  const answer = await firstAnswer(primary, { groups });
  t.deepEqual(answer.granted, []);
  t.deepEqual(
    answer.refused.map(({ gvgId, code }) => [gvgId, code]),
    [
      [1, 'wrong-place'],
      [2, 'group-unknown'],
      [99, 'group-unknown'],
    ],
  );
  const stranger = (await join(t, world, 2)).peers.client;
  const lying = await ask(stranger, { primarySpId: 2 });
  t.is(lying?.refused[0]?.code, 'not-primary');
});

test('an SP that is not listed does not answer', async (t) => {
  const { primary } = await start(t);
  await firstAnswer(primary);
  t.is(await ask(primary, { groups: [{ gvgId: 1, secondarySpIds: [2, 4, 5, 6, 7] }] }, 300), undefined);
});

test('a draining node refuses everything', async (t) => {
  const { primary, us } = await start(t);
  await firstAnswer(primary);
  us.approver.tell({ type: 'drain', hasOthers: false });
  t.is((await ask(primary))?.refused[0]?.code, 'draining');
});

test('nothing is approved while the chain node lags behind', async (t) => {
  const { primary } = await start(t, { limits: { chainLagMs: -1_000_000 } });
  t.is((await firstAnswer(primary)).refused[0]?.code, 'chain-lag');
});

test('the disk keeps its reserve, counting approved columns that are still to come', async (t) => {
  const { primary } = await start(t, {
    limits: { reserveBytes: 5000 },
    freeBytes: 5000 + 1.5 * COLUMN_BYTES,
  });
  t.is((await firstAnswer(primary)).granted.length, 1);
  const other = { job: { objectId: '4712', version: 0 } };
  t.is((await ask(primary, other))?.refused[0]?.code, 'disk-reserve');
  t.is((await ask(primary))?.granted.length, 1, 'the same job is not counted twice');
});

test('outstanding approvals are bounded in number and bytes, across a restart', async (t) => {
  const directory = await temporaryDirectory(t);
  const outstanding = { count: 1, bytes: 10 * COLUMN_BYTES };
  const { world, primary, us } = await start(t, { directory, limits: { outstanding } });
  const other = { job: { objectId: '4712', version: 0 } };
  t.is((await firstAnswer(primary)).granted.length, 1);
  t.is((await ask(primary, other))?.refused[0]?.code, 'too-many-approvals');
  await us.stop();
  const limits = { outstanding: { count: 10, bytes: 1.5 * COLUMN_BYTES } };
  await startSecondary(t, world, US, { directory, limits });
  t.is((await firstAnswer(primary, other)).refused[0]?.code, 'approval-budget');
});
