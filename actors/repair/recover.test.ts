import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { checksum } from '#protocols/integrity/checksums';
import { ByteBudget } from '#runtime/async/byte-budget';
import type { Journal } from '#runtime/journal/journal';
import { openLevelJournal } from '#runtime/journal/level-journal';
import { PeerCounts } from '#runtime/peers/peer-counts';
import type { PieceStore } from '#runtime/pieces/piece-store';
import { noSizes } from '#runtime/telemetry/sizes';
import { noTraces } from '#runtime/telemetry/traces';
import { SegmentRecords } from '../ledger/segment-record.ts';
import { TestChain } from '../testing/chain.ts';
import { type Holder, type SealedSample, sealedSample, TestHolders } from '../testing/holders.ts';
import { withStage } from '../testing/stage.ts';
import { ChecksumLists } from './checksum-lists.ts';
import { Recoverer } from './recover.ts';

const stage = withStage(test);
const never = new AbortController().signal;
let directory: string;
let journal: Journal;
let pieces: Promise<PieceStore> | undefined;

test.before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sealion-recover-'));
  journal = await openLevelJournal({ directory });
});

test.after.always(async () => {
  await journal?.close();
  await rm(directory, { recursive: true, force: true });
});

async function recovererFor(
  sample: SealedSample,
  spId: number,
  holders: Record<number, Holder>,
  lists = true,
) {
  pieces ??= stage().pieces();

  const peers = new TestHolders(sample, holders, lists);
  const memory = new ByteBudget(2 ** 24);
  const ports = {
    spId,
    chain: new TestChain([]),
    journal,
    pieces: await pieces,
    peers,
    counts: new PeerCounts(),
    sizes: noSizes,
    traces: noTraces,
    memory,
    hedgeMs: 20,
  };
  return { peers, memory, recoverer: new Recoverer(ports, new ChecksumLists(ports)) };
}

const holder = (weight: number) =>
  fc.oneof(
    { weight, arbitrary: fc.constant<Holder>('good') },
    { weight: 1, arbitrary: fc.constantFrom<Holder>('missing', 'lies', 'hangs') },
  );

const cases = fc.record({
  redundancy: fc.constantFrom('EC' as const, 'REPLICA' as const),
  size: fc.integer({ min: 1, max: 3_000 }),
  secondaries: fc.array(holder(3), { minLength: 6, maxLength: 6 }),
  primary: holder(1),
  /** Whether our own list is known. */
  own: fc.boolean(),
  /** Whether the wire carries the lists of others. */
  lists: fc.boolean(),
});

/** Replaces hanging holders unless there are enough good ones, since a needed one would be waited for for ever. */
function settled(holders: Record<number, Holder>, enough: boolean): Record<number, Holder> {
  if (enough) return holders;
  return Object.fromEntries(
    Object.entries(holders).map(([id, kind]) => [id, kind === 'hangs' ? 'missing' : kind]),
  );
}

test('a segment is restored from any sufficient pieces, even if other providers are down, slow or wrong', async (t) => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ redundancy, size, secondaries, own, lists }) => {
      const sample = sealedSample(redundancy, size, 1_024);
      const { content, segments, segmentChecksums } = sample;
      if (own) await new SegmentRecords(journal.ledger).put({ job: content.job, segmentChecksums });
      const enough = secondaries.filter((it) => it === 'good').length >= (redundancy === 'EC' ? 4 : 1);
      const holders = settled(Object.fromEntries(secondaries.map((it, i) => [i + 2, it])), enough);
      const { recoverer, memory } = await recovererFor(sample, 1, holders, lists);
      for (const index of segments.keys()) {
        const recovered = recoverer.segment(content, index, async (it) => it, never);
        if (enough) {
          const { bytes, checksum: found } = await recovered;
          t.deepEqual(Buffer.from(bytes), Buffer.from(segments[index] ?? []));
          t.true(found === segmentChecksums[index]);
        } else {
          await t.throwsAsync(recovered, { code: 'too-few-pieces' });
        }
      }
      t.is(memory.used, 0);
    }),
    { numRuns: 60 },
  );
});

test('a piece is restored from the primary or from any sufficient columns', async (t) => {
  await fc.assert(
    fc.asyncProperty(cases, fc.nat(5), async ({ redundancy, size, secondaries, primary, lists }, column) => {
      const sample = sealedSample(redundancy, size, 1_024);
      const others = secondaries.filter((it, i) => i !== column && it === 'good').length;
      const enough = primary === 'good' || others >= (redundancy === 'EC' ? 4 : 1);
      const states = { 1: primary, ...Object.fromEntries(secondaries.map((it, i) => [i + 2, it])) };
      const { recoverer, peers } = await recovererFor(sample, column + 2, settled(states, enough), lists);
      for (const [segmentIndex, piece] of (sample.columns[column] ?? []).entries()) {
        const at = { column, segmentIndex, expected: checksum(piece) };
        const recovered = recoverer.piece(sample.content, at, async (it) => it, never);
        if (enough) t.deepEqual(Buffer.from((await recovered).bytes), Buffer.from(piece));
        else await t.throwsAsync(recovered, { code: 'too-few-pieces' });
      }
      t.false(peers.asked.includes(column + 2), 'we do not ask ourselves');
    }),
    { numRuns: 60 },
  );
});

test('without faults, only as many providers are asked as needed', async (t) => {
  const sample = sealedSample('EC', 1_000, 1_024);
  const { content, segmentChecksums } = sample;
  await new SegmentRecords(journal.ledger).put({ job: content.job, segmentChecksums });
  const { recoverer, peers } = await recovererFor(sample, 1, {});
  await recoverer.segment(content, 0, async () => undefined, never);
  t.is(peers.asked.length, 4);
});

test('our own checksums are not trusted when they contradict the chain', async (t) => {
  const sample = sealedSample('EC', 1_000, 1_024);
  const { content } = sample;
  await new SegmentRecords(journal.ledger).put({ job: content.job, segmentChecksums: ['ab'.repeat(32)] });
  const { recoverer } = await recovererFor(sample, 1, {});
  const { bytes } = await recoverer.segment(content, 0, async (it) => it, never);
  t.deepEqual(Buffer.from(bytes), Buffer.from(sample.segments[0] ?? []));
});

test('an aborted repair ends, even while it waits for memory', async (t) => {
  const sample = sealedSample('EC', 1_000, 1_024);
  const everybody = Object.fromEntries([2, 3, 4, 5, 6, 7].map((id) => [id, 'hangs' as const]));
  const { recoverer, memory } = await recovererFor(sample, 1, everybody);
  const abort = new AbortController();
  const waiting = recoverer.segment(sample.content, 0, async () => undefined, abort.signal);
  setTimeout(() => abort.abort(), 30);
  t.like(await t.throwsAsync(waiting), { kind: 'cancelled' });
  t.is(memory.used, 0);
});
