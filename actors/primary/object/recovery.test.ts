import { randomBytes } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import type { JobContext } from '#protocols/job/context';
import type { JobEvent } from '#protocols/job/events';
import { replay } from '#protocols/job/evolve';
import { JOB_STATE_NAMES, type JobStateName } from '#protocols/job/states';
import { segmentKey } from '#protocols/payload/keys';
import { chainAway, TestChain } from '../../testing/chain.ts';
import {
  eventually,
  type Ground,
  newGround,
  type Payload,
  Primary,
  segmentsOf,
} from '../../testing/primary.ts';
import { group } from '../../testing/providers.ts';
import { withStage } from '../../testing/stage.ts';

const stage = withStage(test);

/** A whole job as it really went, to be cut off anywhere. */
interface History {
  readonly payload: Payload;
  readonly events: readonly JobEvent[];
}

let history: Promise<History> | undefined;

async function record(t: ExecutionContext): Promise<History> {
  const primary = await Primary.start(t, await newGround(t, await stage().connection(t)));
  const payload = await primary.newObject();
  await primary.upload(payload);
  await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  return { payload, events: await primary.events(payload) };
}

interface Setting {
  /** How much of the history has happened: up to and including the first event after which this holds. */
  readonly until: (context: JobContext) => boolean;
  /** What came after that. */
  readonly then?: readonly JobEvent[];
  readonly deadlineAt?: number;
}

/** A primary that starts with a job in its journal and its queue, and the segments in its PieceStore. */
async function recover(
  t: ExecutionContext,
  setting: Setting,
  prepare: (ground: Ground, chain: TestChain, payload: Payload) => unknown = () => undefined,
) {
  history ??= record(t);
  const { payload, events } = await history;
  const ground = await newGround(t, await stage().connection(t));
  const begun: JobEvent[] = [];
  for (const event of events) {
    const { deadlineAt } = setting;
    begun.push(event.type === 'UploadStarted' && deadlineAt ? { ...event, deadlineAt } : event);
    const context = replay(begun);
    if (context && setting.until(context)) break;
  }
  begun.push(...(setting.then ?? []));
  for (const [i, event] of begun.entries()) await ground.journal.append(payload.job, i + 1, event);
  for (const [i, segment] of segmentsOf(payload).entries()) {
    await ground.pieces.put(segmentKey(payload.job, i), segment);
  }
  const chain = new TestChain([group(1, [2, 3, 4, 5, 6, 7])]);
  chain.create(payload.job, payload.object);
  await prepare(ground, chain, payload);
  await ground.queue.enqueue(payload.job);
  const primary = await Primary.start(t, ground, { chain });
  return { primary, payload, before: begun, chain };
}

const inState = (state: JobStateName) => (context: JobContext) => context.state === state;

const FORWARD = JOB_STATE_NAMES.filter(
  (name) => !name.endsWith('_ERROR') && !['INIT_UNSPECIFIED', 'UPLOAD_OBJECT_DOING'].includes(name),
).slice(0, -2);

for (const state of FORWARD) {
  test(`a job found in ${state} continues to the seal without repeating anything`, async (t) => {
    const { primary, payload, before, chain } = await recover(t, { until: inState(state) });
    await primary.reaches(payload, 'SEAL_OBJECT_DONE');
    const events = await primary.events(payload);
    t.deepEqual(events.slice(0, before.length), before);
    const { events: whole } = await (history ?? record(t));
    t.deepEqual(
      events.slice(before.length).map(({ type }) => type),
      whole.slice(before.length).map(({ type }) => type),
    );
    const signed = replay(before)?.seal;
    if (signed) t.is(chain.broadcasts[0]?.hash, signed.hash, 'the same bytes are broadcast');
    t.is(chain.broadcasts.length, 1);
  });
}

test('existing receipts are kept, and only the missing columns are offered', async (t) => {
  const { primary, payload } = await recover(t, {
    until: ({ receipts }) => Object.keys(receipts).length === 4,
  });
  const kept = (await primary.context(payload))?.receipts ?? {};
  const context = await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  t.like(context.receipts, kept);
  t.deepEqual(
    primary.peers.offers.map(({ redundancyIndex }) => redundancyIndex).toSorted(),
    [0, 1, 2, 3, 4, 5].filter((index) => !kept[index]),
  );
  t.deepEqual(primary.peers.asks, []);
});

for (const [what, spoil] of [
  ['missing', ({ pieces }: Ground, key: string) => pieces.delete(key)],
  [
    'of other bytes',
    async ({ pieces }: Ground, key: string) => {
      await pieces.delete(key);
      await pieces.put(key, randomBytes(1_024));
    },
  ],
] as const) {
  test(`with a segment ${what}, the payload counts as lost and can be uploaded again`, async (t) => {
    const { primary, payload } = await recover(
      t,
      { until: inState('ALLOC_SECONDARY_DONE') },
      (ground, _chain, { job }) => spoil(ground, segmentKey(job, 2)),
    );
    const context = await primary.reaches(payload, 'UPLOAD_OBJECT_ERROR');
    t.is(context.failure?.code, 'payload-lost');
    t.regex(context.failure?.message ?? '', /segment 2/);
    await primary.upload(payload);
    await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  });
}

test('a job that the chain has sealed meanwhile is done at once', async (t) => {
  const { primary, payload, before, chain } = await recover(
    t,
    { until: inState('ALLOC_SECONDARY_DOING') },
    (_ground, onChain, { job }) => onChain.seal(job.objectId, 1),
  );
  await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  t.like((await primary.events(payload))[before.length], { type: 'SealCompleted', gvgId: 1 });
  t.is(chain.broadcasts.length, 0);
});

for (const [what, end] of [
  ['gone', (chain: TestChain, id: string) => chain.objects.delete(id)],
  [
    'discontinued',
    (chain: TestChain, id: string) => {
      const object = chain.objects.get(id);
      if (object) chain.objects.set(id, { ...object, status: 'DISCONTINUED' });
    },
  ],
] as const) {
  test(`a job whose object is ${what} ends`, async (t) => {
    const { primary, payload } = await recover(
      t,
      { until: inState('REPLICATE_OBJECT_DOING') },
      (_ground, chain, { job }) => end(chain, job.objectId),
    );
    await primary.reaches(payload, 'OBJECT_DISCONTINUED');
    t.deepEqual(primary.peers.offers, []);
    await eventually('the queue forgets it', async () => !(await primary.ground.queue.has(payload.job)));
    t.deepEqual(new Set(await primary.storedSegments(payload)), new Set([undefined]));
  });
}

test('an object does not count as gone when the chain node is behind its creation', async (t) => {
  const { primary, payload, chain } = await recover(
    t,
    { until: inState('SEAL_OBJECT_DOING') },
    (_ground, onChain) => {
      onChain.objects.clear();
      onChain.time = 0;
    },
  );
  const context = await primary.reaches(payload, 'SEAL_OBJECT_ERROR');
  t.is(context.failure?.code, 'chain-behind');
  chain.create(payload.job, payload.object);
  chain.time = Date.now();
  await primary.reaches(payload, 'SEAL_OBJECT_DONE');
});

test('while the chain is unreachable the job says so, and continues when it is back', async (t) => {
  const { primary, payload, chain } = await recover(
    t,
    { until: inState('UPLOAD_OBJECT_DONE') },
    (_ground, onChain) => {
      onChain.outage = chainAway();
    },
  );
  const context = await primary.reaches(payload, 'ALLOC_SECONDARY_ERROR');
  t.is(context.failure?.code, 'chain-unavailable');
  chain.outage = undefined;
  await primary.reaches(payload, 'SEAL_OBJECT_DONE');
});

test('past its deadline an object is rejected: signed, persisted, broadcast, discontinued', async (t) => {
  const { primary, payload, before, chain } = await recover(t, {
    until: inState('REPLICATE_OBJECT_DOING'),
    deadlineAt: 1,
  });
  const context = await primary.reaches(payload, 'OBJECT_DISCONTINUED');
  t.deepEqual(
    (await primary.events(payload)).slice(before.length).map(({ type }) => type),
    ['RejectSigned', 'Discontinued'],
  );
  t.deepEqual(
    chain.broadcasts.map(({ kind, hash }) => ({ kind, hash })),
    [{ kind: 'reject', hash: context.reject?.hash ?? '' }],
  );
  t.deepEqual(primary.peers.offers, []);
});

test('past its deadline an object that turns out sealed is not rejected', async (t) => {
  const { primary, payload, chain } = await recover(
    t,
    {
      until: inState('SEAL_OBJECT_DOING'),
      deadlineAt: 1,
    },
    (_ground, onChain, { job }) =>
      onChain.answers.push((_seen, _take) => {
        onChain.seal(job.objectId, 1);
        return { code: 0, codespace: '', log: '' };
      }),
  );
  await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  t.deepEqual(
    chain.broadcasts.map(({ kind }) => kind),
    ['reject'],
  );
});

test('a reject whose sequence was used by another transaction is signed again', async (t) => {
  const { primary, payload, chain } = await recover(
    t,
    {
      until: inState('REPLICATE_OBJECT_DOING'),
      deadlineAt: 1,
    },
    (_ground, onChain) =>
      onChain.answers.push((_seen, take) => {
        onChain.sequence += 1;
        return take();
      }),
  );
  const context = await primary.reaches(payload, 'OBJECT_DISCONTINUED');
  t.is(chain.broadcasts.length, 2);
  t.is(context.reject?.sequence, 1);
});

test('a reject blocked by a frozen account costs nothing, says why, and succeeds after the deposit', async (t) => {
  const { primary, payload, before, chain } = await recover(
    t,
    { until: inState('REPLICATE_OBJECT_DOING'), deadlineAt: 1 },
    (_ground, onChain) => {
      onChain.frozen = true;
    },
  );
  const waiting = await eventually('it has failed', async () => {
    const context = await primary.context(payload);
    return context?.rejectFailure && context;
  });
  t.is(waiting.rejectFailure?.code, 'reject-refused');
  t.regex(waiting.rejectFailure?.message ?? '', /is frozen/);
  t.regex(waiting.rejectFailure?.advice ?? '', /deposited BNB/);
  const { activity } = await eventually('the tree says so', () => {
    const line = primary.line(payload);
    return line?.activity?.doing.includes('is frozen') ? line : undefined;
  });
  t.regex(activity?.doing ?? '', /idle \(REPLICATE_OBJECT_DOING\): The chain refused the reject/);
  const tries = primary.system;
  let started = 0;
  tries.inspect((event) => {
    if (event.type === 'spawned' && event.path.endsWith(`object/${payload.job.objectId}.0`)) started += 1;
  });
  await eventually('it has been tried again', () => started >= 3);
  t.is(chain.paid.length, 0);
  chain.frozen = false;
  await primary.reaches(payload, 'OBJECT_DISCONTINUED');
  t.is(chain.paid.length, 1);
  t.deepEqual(
    (await primary.events(payload)).slice(before.length).map(({ type }) => type),
    ['RejectSigned', 'RejectFailed', 'Discontinued'],
    'the same failure is written once, the same bytes are tried',
  );
});

test('a reject that waits for a deposit ends when the owner deletes the object', async (t) => {
  const { primary, payload, chain } = await recover(
    t,
    { until: inState('REPLICATE_OBJECT_DOING'), deadlineAt: 1 },
    (_ground, onChain) => {
      onChain.frozen = true;
    },
  );
  await eventually('it has failed', async () => (await primary.context(payload))?.rejectFailure);
  chain.objects.delete(payload.job.objectId);
  await primary.reaches(payload, 'OBJECT_DISCONTINUED');
  t.is(chain.paid.length, 0);
});

test('a queue entry of an ended job is removed, that of an unknown job kept', async (t) => {
  const { primary, payload } = await recover(t, { until: inState('SEAL_OBJECT_DONE') });
  const { queue } = primary.ground;
  const unknown = { objectId: '999999', version: 0 };
  const looked = new Promise<void>((resolve) => {
    primary.system.inspect((event) => {
      if (event.type === 'stopped' && event.path.endsWith('object/999999.0')) resolve();
    });
  });
  await queue.enqueue(unknown);
  await looked;
  await eventually('the queue forgets it', async () => !(await queue.has(payload.job)));
  t.true(await queue.has(unknown));
});
