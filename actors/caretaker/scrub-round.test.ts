import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Retryable, type SealionError, Terminal } from '#protocols/errors';
import { formatJobId } from '#protocols/job/identity';
import type { Ledger } from '#runtime/journal/journal';
import { openLevelJournal } from '#runtime/journal/level-journal';
import { Background } from '#runtime/load/background';
import { silentLogger } from '#runtime/telemetry/logger';
import { SegmentRecords } from '../ledger/segment-record.ts';
import type { RepairerMessage } from '../repair/repairer.ts';
import type { PieceState, Verification } from '../repair/verification.ts';
import { TestChain } from '../testing/chain.ts';
import { withStage } from '../testing/stage.ts';
import { scrubRound } from './scrub-round.ts';

const stage = withStage(test);
const signal = new AbortController().signal;
const DAY_MS = 86_400_000;

/** The repairer's result for each object, by its id; `good` for one that is not listed. */
type Findings = Record<string, PieceState | SealionError>;

async function newScene(t: ExecutionContext) {
  const directory = await mkdtemp(join(tmpdir(), 'sealion-scrub-'));
  const journal = await openLevelJournal({ directory });
  t.teardown(async () => {
    await journal.close();
    await rm(directory, { recursive: true, force: true });
  });
  const looked: string[] = [];
  const findings: Findings = {};
  /** Objects have two parts. */
  const verify = ({ job, from }: { job: Verification['job']; from: number }): Verification => {
    looked.push(`${formatJobId(job)}/${from}`);
    const found = findings[job.objectId] ?? 'good';
    if (typeof found !== 'string') throw found;
    const part = { job, spId: 1, redundancyIndex: -1, segmentCount: 2, bytes: 100 };
    const state = from === 1 ? found : 'good';
    return { ...part, findings: [{ segmentIndex: from, state }], ...(from === 0 && { next: 1 }) };
  };
  const repairer = stage()
    .system(t)
    .spawn('repairer', {
      kind: 'repairer',
      start: () => undefined,
      receive(_state: undefined, message: RepairerMessage) {
        if (message.type !== 'verify') return undefined;
        try {
          message.reply.resolve(verify(message));
        } catch (error) {
          message.reply.reject(error);
        }
        return undefined;
      },
    });
  const background = new Background(1);
  t.teardown(() => background.close());
  const round = (scrubPassMs = 30 * DAY_MS, scrubRate = 1_000_000) =>
    scrubRound(
      {
        ledger: journal.ledger,
        chain: new TestChain([]),
        repairer,
        scrubRate,
        background,
        timing: { scrubPassMs, chainLagMs: 30_000 },
      },
      silentLogger,
    );
  return { ledger: journal.ledger, looked, findings, round };
}

async function holdSegments(ledger: Ledger, ...ids: readonly number[]): Promise<void> {
  for (const id of ids) {
    await new SegmentRecords(ledger).put({ job: { objectId: `${id}`, version: 0 }, segmentChecksums: [] });
  }
}

async function holdColumn(ledger: Ledger, id: number, held: boolean): Promise<void> {
  const job = { objectId: `${id}`, version: 0 };
  const record = { job, redundancyIndex: 0, from: 2, segmentCount: 1, touchedAt: 1 };
  await ledger.put(`column/${id}.0/0`, { ...record, ...(held && { held: { pieceChecksums: [] } }) });
}

test('a pass checks every column and every sealed payload once, then pauses', async (t) => {
  const { ledger, looked, findings, round } = await newScene(t);
  await holdSegments(ledger, 11, 12);
  await holdColumn(ledger, 21, true);
  await holdColumn(ledger, 22, false);
  findings['12'] = 'repaired';
  const scrub = round();
  t.regex((await scrub.run(signal)) ?? '', /^verified 3 objects \(600 bytes\).*: 1 pieces repaired, 0 not/);
  t.deepEqual(looked, ['21.0/0', '21.0/1', '11.0/0', '11.0/1', '12.0/0', '12.0/1']);
  t.is(await scrub.run(signal), undefined);
  t.is(looked.length, 6);
});

test('after a restart a pass continues where it stopped', async (t) => {
  const { ledger, looked, findings, round } = await newScene(t);
  await holdColumn(ledger, 21, true);
  await holdSegments(ledger, 11, 12, 13);
  const away = new Retryable({ code: 'chain-unavailable', message: 'No node answers.' });
  findings['12'] = away;
  t.is(await t.throwsAsync(round().run(signal)), away);
  delete findings['12'];
  looked.length = 0;
  t.regex((await round().run(signal)) ?? '', /^verified 4 objects/);
  t.deepEqual(looked, ['12.0/0', '12.0/1', '13.0/0', '13.0/1']);
});

test('the next pass begins after the pause', async (t) => {
  const { ledger, looked, round } = await newScene(t);
  await holdSegments(ledger, 11);
  const scrub = round(0);
  await scrub.run(signal);
  await scrub.run(signal);
  t.deepEqual(looked, ['11.0/0', '11.0/1', '11.0/0', '11.0/1']);
});

test('a failed repair is retried in each round until it succeeds', async (t) => {
  const { ledger, looked, findings, round } = await newScene(t);
  await holdSegments(ledger, 11, 12, 13);
  findings['11'] = 'lost';
  findings['12'] = new Retryable({ code: 'too-few-pieces', message: 'All are away.' });
  findings['13'] = new Terminal({ code: 'not-a-holder', message: 'It is not ours.' });
  const scrub = round();
  t.regex(
    (await scrub.run(signal)) ?? '',
    /^verified 1 objects.*1 not repairable now, 2 objects not verified/,
  );
  looked.length = 0;
  await scrub.run(signal);
  t.deepEqual(looked, ['11.0/0', '11.0/1', '12.0/0']);
  delete findings['11'];
  delete findings['12'];
  await scrub.run(signal);
  looked.length = 0;
  await scrub.run(signal);
  t.deepEqual(looked, []);
});

test('the record of a payload that is gone from the chain is deleted', async (t) => {
  const { ledger, findings, round } = await newScene(t);
  await holdSegments(ledger, 11);
  findings['11'] = new Terminal({ code: 'not-sealed', message: 'It is gone.' });
  t.regex((await round().run(signal)) ?? '', /^verified 0 objects.* 0 objects not verified/);
  t.is(await new SegmentRecords(ledger).get({ objectId: '11', version: 0 }), undefined);
});

test('bytes are read no faster than the rate', async (t) => {
  const { ledger, round } = await newScene(t);
  await holdSegments(ledger, 11);
  const begin = performance.now();
  await round(DAY_MS, 1_000).run(signal);
  t.true(performance.now() - begin >= 195, '200 bytes at 1000 bytes per second');
});

test('a pass that is stopped during its pause ends at once', async (t) => {
  const { ledger, round } = await newScene(t);
  await holdSegments(ledger, 11);
  const stop = new AbortController();
  const running = round(DAY_MS, 1).run(stop.signal);
  setTimeout(() => stop.abort(), 50);
  t.like(await t.throwsAsync(running), { kind: 'cancelled' });
});
