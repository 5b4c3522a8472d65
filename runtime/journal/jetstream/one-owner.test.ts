import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { openJobQueue } from '../../jobs/nats-job-queue.ts';
import { connectNats } from '../../nats/connect.ts';
import { startNatsServer } from '../../nats/server.ts';
import { silentLogger as log } from '../../telemetry/logger.ts';
import { openJetStreamJournal } from './jetstream-journal.ts';
import type { Told } from './owner.child.ts';

const ACK_WAIT_MS = 1_000;
const [NODES, JOBS, ROUNDS] = [3, 4, 6];
/** Of how long a node is suspended: some leases survive it. */
const [SHORTEST_MS, LONGEST_MS] = [300, 2_300];

/** Set it to run the schedule of an earlier run. */
const SEED = Number(process.env.SEALION_TEST_SEED ?? Math.floor(Math.random() * 2 ** 32));

/** Numbers from 0 to 1 that follow from a seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function startNode(t: ExecutionContext, url: string, told: Told[]): Promise<ChildProcess> {
  const script = new URL('./owner.child.js', import.meta.url);
  const child = fork(script, [url, String(ACK_WAIT_MS), String(JOBS)]);
  t.teardown(() => child.kill('SIGKILL'));
  await once(child, 'message');
  child.on('message', (message) => told.push(message as Told));
  return child;
}

/** Suspends one or two of the nodes at a time, for as long as the seed says. */
async function suspendInTurn(nodes: readonly ChildProcess[], next: () => number): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const first = Math.floor(next() * nodes.length);
    const count = next() < 0.3 ? 2 : 1;
    const chosen = Array.from({ length: count }, (_, i) => nodes[(first + i) % nodes.length] as ChildProcess);
    await Promise.all(
      chosen.map(async (node) => {
        await sleep(next() * 300);
        node.kill('SIGSTOP');
        await sleep(SHORTEST_MS + next() * (LONGEST_MS - SHORTEST_MS));
        node.kill('SIGCONT');
      }),
    );
  }
}

/** First and last time at which each lease on a job allowed an effect, in their order. */
function spans(told: readonly Told[]): readonly { delivery: number; from: number; to: number }[] {
  const found = new Map<number, { delivery: number; from: number; to: number }>();
  for (const one of told) {
    if (one.what !== 'acts') continue;
    const { delivery, at } = one;
    const { from, to } = found.get(delivery) ?? { from: at, to: at };
    found.set(delivery, { delivery, from: Math.min(from, at), to: Math.max(to, at) });
  }
  return [...found.values()].sort((a, b) => a.from - b.from);
}

test(`two nodes that pull one queue never own a job at once, whenever they are suspended (seed ${SEED})`, async (t) => {
  const server = await startNatsServer();
  t.teardown(() => server.stop());
  const connection = await connectNats({ url: server.url, name: 'referee', log });
  t.teardown(() => connection.close());
  const journal = await openJetStreamJournal({ connection });
  t.teardown(() => journal.close());
  const queue = await openJobQueue({ connection, ackWaitMs: ACK_WAIT_MS, log });
  const told: Told[][] = Array.from({ length: NODES }, () => []);
  const nodes = await Promise.all(told.map((own) => startNode(t, server.url, own)));
  const jobs = Array.from({ length: JOBS }, (_, i) => ({ objectId: String(i + 1), version: 0 }));
  for (const job of jobs) await queue.enqueue(job);
  await suspendInTurn(nodes, random(SEED));
  // what a node that has just continued still does
  await sleep(ACK_WAIT_MS);
  for (const node of nodes) node.kill('SIGSTOP');

  let passed = 0;
  for (const job of jobs) {
    const id = `${job.objectId}.0`;
    const about = `job ${id}, seed ${SEED}`;
    const all = told.map((own) => own.filter((one) => one.job === id));
    const taken = all.flat().filter(({ what }) => what === 'took');
    t.is(new Set(taken.map(({ delivery }) => delivery)).size, taken.length, `a lease of one node, ${about}`);
    passed += taken.length - 1;

    const leases = spans(all.flat());
    for (const [i, { delivery, from }] of leases.entries()) {
      const before = leases[i - 1];
      if (!before) continue;
      t.true(before.to < from, `leases ${before.delivery} and ${delivery} overlap, ${about}`);
      t.true(before.delivery < delivery, about);
    }

    const writes = all.flat().filter((one) => one.what === 'wrote');
    writes.sort((a, b) => a.n - b.n);
    t.is(new Set(writes.map(({ n }) => n)).size, writes.length, `an event has one writer, ${about}`);
    for (const [i, { delivery }] of writes.entries()) {
      t.true(delivery >= (writes[i - 1]?.delivery ?? 0), `a former owner has written, ${about}`);
    }
    const stored = await journal.read(job);
    t.true(stored.length >= (writes.at(-1)?.n ?? 1), about);
    t.true(writes.length > 0, about);
  }
  t.true(passed > 0, `no job has passed from one node to another, seed ${SEED}`);
});
