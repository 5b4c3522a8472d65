import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import test from 'ava';
import type { Redundancy } from '#protocols/greenfield/types';
import { pieceKey, segmentKey } from '#protocols/payload/keys';
import { compiledProgram } from '../compiled.ts';
import { network } from './mixed-wires.ts';
import type { Network } from './network.ts';
import type { WaitingObject } from './offers.ts';
import { until } from './until.ts';

const SEGMENT = 64 * 1024;
const SECONDARIES = [2, 3, 4, 5, 6, 7];

async function sealedObject(net: Network, redundancy: Redundancy, segments: number): Promise<WaitingObject> {
  const bucket = await net.createBucket(1);
  const object = await net.createObject(bucket, { size: segments * SEGMENT - 11, redundancy });
  await net.put(1, object);
  const { gvg } = await net.sealed(object);
  if (String(gvg?.secondarySpIds) !== String(SECONDARIES)) throw new Error('another group than expected');
  return object;
}

function segmentOf(object: WaitingObject, index: number): Buffer {
  return Buffer.from(object.payload.subarray(index * SEGMENT, (index + 1) * SEGMENT));
}

/** Waits until the primary has restored a segment, byte for byte, as seen by a stock NATS client. */
async function segmentIsBack(net: Network, object: WaitingObject, index: number): Promise<void> {
  await until(`segment ${index} is back`, async () => {
    const stored = await net.pieces(1).read(segmentKey(object.job, index));
    return stored !== null && segmentOf(object, index).equals(stored);
  });
}

async function losesColumns(net: Network, object: WaitingObject, columns: readonly number[]): Promise<void> {
  for (const index of columns) {
    const spId = SECONDARIES[index] ?? 0;
    await net.pieces(spId).loseAll((key) => key.startsWith(`${object.job.objectId}+`));
  }
}

for (const redundancy of ['EC', 'REPLICA'] as const) {
  test.serial(
    `a download survives lost columns and segments, which are repaired: ${redundancy}`,
    async (t) => {
      const net = network();
      const object = await sealedObject(net, redundancy, 4);
      await losesColumns(net, object, [1, 4]);
      await net.pieces(1).lose(segmentKey(object.job, 0));
      await net.pieces(1).damage(segmentKey(object.job, 2));
      await net.pieces(1).lose(segmentKey(object.job, 3));
      t.true((await net.get(1, object)).equals(object.payload));
      for (const index of [0, 2, 3]) await segmentIsBack(net, object, index);
      t.pass();
    },
  );
}

test.serial('any two of six columns can be missing, and with REPLICA any five', async (t) => {
  const net = network();
  const cases = [...pairs()].map((lost) => ({ redundancy: 'EC' as const, lost: [...lost] }));
  const replica = { redundancy: 'REPLICA' as const, lost: [0, 1, 2, 3, 5] };
  const bucket = await net.createBucket(1);
  const announced = [];
  for (const { redundancy, lost } of [...cases, replica]) {
    announced.push({ lost, object: await net.createObject(bucket, { size: SEGMENT - 3, redundancy }) });
  }
  await Promise.all(announced.map(({ object }) => net.put(1, object)));
  for (const { lost, object } of announced) {
    await net.sealed(object);
    await losesColumns(net, object, lost);
    await net.pieces(1).lose(segmentKey(object.job, 0));
    t.true((await net.get(1, object)).equals(object.payload), `${object.redundancy} without ${lost.join()}`);
  }
});

function* pairs(): Generator<readonly [number, number]> {
  for (let a = 0; a < 6; a += 1) for (let b = a + 1; b < 6; b += 1) yield [a, b];
}

const PROGRAM = compiledProgram('cli/sealion');

interface Fact {
  readonly event: string;
  readonly spId?: number;
  readonly segmentIndex?: number;
  readonly state?: string;
}

/** Runs `sealion verify` to its end. */
async function verify(net: Network, object: WaitingObject, ...options: readonly string[]) {
  const name = `${object.bucketName}/${object.objectName}`;
  const args = [PROGRAM, 'verify', name, '--json', '--network', net.devnet.path, ...options];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  const output = await text(child.stdout);
  const [code] = await ended;
  const facts = output
    .trim()
    .split('\n')
    .map((line): Fact => JSON.parse(line));
  const states = facts.filter(({ event }) => event === 'verified').map(({ spId, state }) => [spId, state]);
  const faults = facts
    .filter(({ event }) => event === 'fault')
    .map(({ spId, segmentIndex, state }) => `${spId}/${segmentIndex} ${state}`);
  return { code, states, faults };
}

const allAre = (state: string, but: Readonly<Record<number, string>> = {}) =>
  [1, ...SECONDARIES].map((spId) => [spId, but[spId] ?? state]);

for (const redundancy of ['EC', 'REPLICA'] as const) {
  test.serial(`verify finds what is lost or damaged, and repairs it on request: ${redundancy}`, async (t) => {
    const net = network();
    const object = await sealedObject(net, redundancy, 3);
    t.deepEqual(await verify(net, object), { code: 0, states: allAre('good'), faults: [] });

    await net.pieces(1).lose(segmentKey(object.job, 1));
    await net.pieces(1).damage(segmentKey(object.job, 2));
    await losesColumns(net, object, [0]);
    await net.pieces(7).damage(pieceKey(object.job, 0, 5));
    const faults = ['1/1 missing', '1/2 corrupt', '2/0 missing', '2/1 missing', '2/2 missing', '7/0 corrupt'];
    const damaged = { 1: 'damaged', 2: 'damaged', 7: 'damaged' };
    // what was read a moment ago is still given to others from memory
    const seen = await until('all of it is seen', async () => {
      const found = await verify(net, object);
      return found.faults.length === faults.length && found;
    });
    t.deepEqual(seen, { code: 1, states: allAre('good', damaged), faults });

    const repaired = await verify(net, object, '--repair');
    t.deepEqual(repaired, {
      code: 0,
      states: allAre('good', { 1: 'repaired', 2: 'repaired', 7: 'repaired' }),
      faults: faults.map((fault) => fault.replace(/missing|corrupt/, 'repaired')),
    });
    t.deepEqual(await verify(net, object), { code: 0, states: allAre('good'), faults: [] });
    for (const [spId, index] of [
      [2, 0],
      [7, 5],
    ] as const) {
      for (const [segment, piece] of (object.columns[index] ?? []).entries()) {
        const stored = await net.pieces(spId).read(pieceKey(object.job, segment, index));
        t.true(stored !== null && Buffer.from(piece).equals(stored), `piece ${segment} at sp ${spId}`);
      }
    }
  });
}

test.serial('damage that too few others can repair is reported', async (t) => {
  const net = network();
  const object = await sealedObject(net, 'EC', 1);
  await losesColumns(net, object, [0, 2, 5]);
  await net.pieces(1).lose(segmentKey(object.job, 0));
  await t.throwsAsync(net.get(1, object));
  const { code, faults } = await verify(net, object, '--repair');
  t.is(code, 1);
  t.deepEqual(faults, ['1/0 lost', '2/0 lost', '4/0 lost', '7/0 lost']);
});
