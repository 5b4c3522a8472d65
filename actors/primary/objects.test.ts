import test, { type ExecutionContext } from 'ava';
import { Retryable, type SealionError, throwIfAborted } from '#protocols/errors';
import type { JobContext } from '#protocols/job/context';
import { gate } from '#runtime/actors/testing';
import { orAborted } from '#runtime/async/or-aborted';
import { natsDirectory } from '#runtime/home/nats-directory';
import type { JobQueue, Lease } from '#runtime/jobs/job-queue';
import { silentLogger } from '#runtime/telemetry/logger';
import {
  chunks,
  eventually,
  except,
  newGround,
  type Payload,
  Primary,
  type PrimaryOptions,
} from '../testing/primary.ts';
import { withStage } from '../testing/stage.ts';

const stage = withStage(test);

async function start(t: ExecutionContext, options: PrimaryOptions = {}): Promise<Primary> {
  return Primary.start(t, await newGround(t, await stage().connection(t)), options);
}

function progress(primary: Primary, { job }: Payload): Promise<JobContext | undefined> {
  return primary.objects.ask((reply) => ({ type: 'progress', job, reply }));
}

/** Leases as their test wants them, over the real queue's. */
class Leases {
  readonly given: { readonly lease: Lease; readonly lose: () => void; readonly settled: string[] }[] = [];

  over(queue: JobQueue): JobQueue {
    const given = this.given;
    return except(queue, {
      async *leases(options: Parameters<JobQueue['leases']>[0]) {
        for await (const lease of queue.leases(options)) {
          const lost = new AbortController();
          const settled: string[] = [];
          const watched: Lease = {
            ...lease,
            signal: lost.signal,
            mustHold: () => throwIfAborted(lost.signal),
            done: async () => {
              settled.push('done');
              await lease.done();
            },
            postpone: async (delayMs) => {
              if (lost.signal.aborted || settled.length > 0) return;
              settled.push(`postponed by ${delayMs < 1 ? 0 : 'some time'}`);
              await lease.postpone(Math.min(delayMs, 50));
            },
          };
          given.push({ lease: watched, lose: () => lost.abort(), settled });
          yield watched;
        }
      },
    });
  }
}

test('an idle object has no actor, and its progress is read from the journal', async (t) => {
  const primary = await start(t);
  const payload = await primary.newObject();
  t.is(await progress(primary, payload), undefined);
  await primary.upload(payload);
  await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  await eventually('its actor is gone', () => !primary.line(payload));
  t.is((await progress(primary, payload))?.state, 'SEAL_OBJECT_DONE');
  t.is(primary.line(payload), undefined);
  await eventually('the queue forgets it', async () => !(await primary.ground.queue.has(payload.job)));
});

test('the progress of an object in work comes from its actor', async (t) => {
  const primary = await start(t);
  const payload = await primary.newObject();
  const held = gate();
  primary.peers.onOffer = () => held.opened;
  await primary.upload(payload);
  await primary.reaches(payload, 'REPLICATE_OBJECT_DOING');
  t.is((await progress(primary, payload))?.state, 'REPLICATE_OBJECT_DOING');
  held.open();
  await primary.reaches(payload, 'SEAL_OBJECT_DONE');
});

test('repeated requests for progress are all answered, and keep no actor alive', async (t) => {
  const primary = await start(t, { pulls: false });
  const payload = await primary.newObject();
  const upload = primary
    .upload(payload, chunks(payload.bytes.subarray(0, 900)))
    .catch((error: SealionError) => error);
  const answers: Promise<unknown>[] = [];
  for (let i = 0; i < 200; i += 1) {
    answers.push(progress(primary, payload));
    await new Promise(setImmediate);
  }
  t.is(((await upload) as SealionError).code, 'payload-too-short');
  t.is((await Promise.all(answers)).length, 200);
  await eventually('its actor is gone', () => !primary.line(payload));
  t.pass();
});

test('an upload that arrives while the previous owner is stopping gets a new owner', async (t) => {
  const ground = await newGround(t, await stage().connection(t));
  const held = gate();
  const directory = natsDirectory(ground.connection, silentLogger);
  const slow = except(directory, {
    own: async (...args: Parameters<typeof directory.own>) => {
      const entry = await directory.own(...args);
      return { release: () => held.opened.then(() => entry.release()) };
    },
  });
  const primary = await Primary.start(t, ground, { pulls: false, ports: { directory: slow } });
  const payload = await primary.newObject();
  await t.throwsAsync(primary.upload(payload, chunks(Buffer.of(1))), { code: 'payload-too-short' });
  await eventually('its actor is stopping', () => primary.line(payload)?.status === 'stopping');
  const again = primary.upload(payload);
  t.is((await progress(primary, payload))?.state, 'UPLOAD_OBJECT_ERROR');
  held.open();
  await again;
  t.is((await primary.context(payload))?.uploadAttempt, 2);
});

test('a lost lease ends the work in the middle of a phase, and nothing more is written', async (t) => {
  const ground = await newGround(t, await stage().connection(t));
  const leases = new Leases();
  const primary = await Primary.start(t, ground, { queue: leases.over(ground.queue) });
  const payload = await primary.newObject();
  const held = gate();
  const aborted: boolean[] = [];
  primary.peers.onOffer = async (_offer, signal) => {
    await held.opened;
    aborted.push(signal?.aborted ?? false);
  };
  await primary.upload(payload);
  await eventually('all columns are offered', () => primary.peers.offers.length === 6);
  const before = await primary.events(payload);
  leases.given[0]?.lose();
  held.open();
  await eventually('its actor is gone', () => !primary.line(payload));
  t.deepEqual(
    aborted,
    Array.from({ length: 6 }, () => true),
  );
  t.deepEqual(await primary.events(payload), before);
  t.deepEqual(leases.given[0]?.settled, []);
});

test('after a lease is lost during a journal write, nothing more is written', async (t) => {
  const ground = await newGround(t, await stage().connection(t));
  const leases = new Leases();
  const { journal } = ground;
  const losing = except(journal, {
    append: async (...args: Parameters<typeof journal.append>) => {
      await journal.append(...args);
      if (args[2].type === 'ReplicationCompleted') leases.given[0]?.lose();
    },
  });
  const primary = await Primary.start(t, ground, {
    queue: leases.over(ground.queue),
    ports: { journal: losing },
  });
  const payload = await primary.newObject();
  await primary.upload(payload);
  await primary.reaches(payload, 'REPLICATE_OBJECT_DONE');
  await eventually('its actor is gone', () => !primary.line(payload));
  t.is((await primary.context(payload))?.state, 'REPLICATE_OBJECT_DONE');
});

test('an actor that fails returns its lease, and the next one continues', async (t) => {
  const ground = await newGround(t, await stage().connection(t));
  const leases = new Leases();
  const { journal } = ground;
  let failures = 2;
  const failing = except(journal, {
    append: async (...args: Parameters<typeof journal.append>) => {
      if (args[2].type === 'AllocationCompleted' && failures > 0) {
        failures -= 1;
        throw new Retryable({ code: 'journal-unavailable', message: 'The disk is full.' });
      }
      await journal.append(...args);
    },
  });
  const primary = await Primary.start(t, ground, {
    queue: leases.over(ground.queue),
    ports: { journal: failing },
  });
  const payload = await primary.newObject();
  await primary.upload(payload);
  await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  await eventually('the last lease is settled', () => leases.given.at(-1)?.settled.length === 1);
  t.deepEqual(
    leases.given.map(({ settled }) => settled),
    [['postponed by some time'], ['postponed by some time'], ['done']],
  );
});

test('an actor that fails at its start returns its lease too', async (t) => {
  const ground = await newGround(t, await stage().connection(t));
  const leases = new Leases();
  const { journal } = ground;
  let failures = 0;
  const failing = except(journal, {
    read: async (...args: Parameters<typeof journal.read>) => {
      failures -= 1;
      if (failures >= 0) throw new Retryable({ code: 'journal-unavailable', message: 'Not now.' });
      return journal.read(...args);
    },
  });
  const first = await Primary.start(t, ground, { pulls: false });
  const payload = await first.newObject();
  await first.upload(payload);
  await first.system.stop();
  failures = 1;
  const primary = await Primary.start(t, ground, {
    chain: first.chain,
    queue: leases.over(ground.queue),
    ports: { journal: failing },
  });
  await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  t.is(leases.given[0]?.settled.length, 1);
});

test('a job whose owner works on another node is left to it', async (t) => {
  const connection = await stage().connection(t);
  const ground = await newGround(t, connection);
  const first = await Primary.start(t, ground, { pulls: false });
  const payload = await first.newObject();
  await first.upload(payload);
  await first.system.stop();
  const owner = await natsDirectory(connection, silentLogger).own(payload.job, () => ({
    node: 'owner',
    state: 'REPLICATE_OBJECT_DOING',
    since: Date.now(),
  }));
  const leases = new Leases();
  const other = await Primary.start(t, ground, { chain: first.chain, queue: leases.over(ground.queue) });
  await eventually('the lease is given back', () => leases.given[0]?.settled.length === 1);
  t.is((await other.context(payload))?.state, 'UPLOAD_OBJECT_DONE');
  await owner.release();
  await other.reaches(payload, 'SEAL_OBJECT_DONE');
});

test('a node that drains gives its jobs back at once, and another one continues them', async (t) => {
  const ground = await newGround(t, await stage().connection(t));
  const leases = new Leases();
  const draining = await Primary.start(t, ground, { queue: leases.over(ground.queue) });
  draining.peers.onOffer = (_, signal) => orAborted(new Promise(() => undefined), signal);
  const payload = await draining.newObject();
  await draining.upload(payload);
  await eventually('it is being replicated', () => draining.peers.offers.length > 0);
  draining.drain();
  await eventually('its actor is gone', () => !draining.line(payload));
  t.deepEqual(leases.given[0]?.settled, ['postponed by 0']);
  const other = await Primary.start(t, ground, { chain: draining.chain });
  await other.reaches(payload, 'SEAL_OBJECT_DONE');
  t.is(leases.given.length, 1);
});

test('an upload in progress on a node that drains is acknowledged, and its job is left to others', async (t) => {
  const ground = await newGround(t, await stage().connection(t));
  const draining = await Primary.start(t, ground);
  const payload = await draining.newObject();
  const rest = gate();
  const uploading = draining.upload(
    payload,
    (async function* () {
      yield payload.bytes.subarray(0, 700);
      await rest.opened;
      yield payload.bytes.subarray(700);
    })(),
  );
  await eventually('it is being received', () => draining.line(payload));
  draining.drain();
  rest.open();
  t.is((await uploading).integrityHash, payload.object.checksums[0]);
  await eventually('its actor is gone', () => !draining.line(payload));
  t.is((await draining.context(payload))?.state, 'UPLOAD_OBJECT_DONE');
  const other = await Primary.start(t, ground, { chain: draining.chain });
  await other.reaches(payload, 'SEAL_OBJECT_DONE');
});

test('a node that only waits for its turn leaves the job to the one that has the lease', async (t) => {
  const ground = await newGround(t, await stage().connection(t));
  const uploading = await Primary.start(t, ground, { pulls: false });
  const payload = await uploading.newObject();
  await uploading.upload(payload);
  const leases = new Leases();
  const other = await Primary.start(t, ground, { chain: uploading.chain, queue: leases.over(ground.queue) });
  await other.reaches(payload, 'SEAL_OBJECT_DONE');
  t.is(leases.given.length, 1);
});

test('the time of the next try is persisted, and the job waits in the queue until then', async (t) => {
  const primary = await start(t);
  const payload = await primary.newObject();
  primary.peers.answer = () => undefined;
  await primary.upload(payload);
  const context = await primary.reaches(payload, 'ALLOC_SECONDARY_ERROR');
  t.true((context.failure?.nextTryAt ?? 0) > context.changedAt);
  t.true(await primary.ground.queue.has(payload.job));
  const second = await eventually('it is tried again', async () => {
    const { failure } = (await primary.context(payload)) ?? {};
    return failure && failure.attempt > 1 ? failure : undefined;
  });
  t.is(second?.code, 'approvals-missing');
});

test('a failure that names the time of the next try sets it', async (t) => {
  const primary = await start(t, { timing: { backoff: { minMs: 20, maxMs: 600_000 } } });
  const payload = await primary.newObject();
  primary.peers.answer = () => {
    throw new Retryable({ code: 'too-many-asks', message: 'Later.', retryAfterMs: 300_000 });
  };
  await primary.upload(payload);
  const { failure, changedAt } = await primary.reaches(payload, 'ALLOC_SECONDARY_ERROR');
  t.true((failure?.nextTryAt ?? 0) >= changedAt + 290_000);
});
