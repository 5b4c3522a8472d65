import test from 'ava';
import type { NodeReport } from '../../view/node-report.ts';
import { errorsByCode, perSecond, together } from './hour.ts';

function report(uploads: readonly number[], errors: Readonly<Record<string, readonly number[]>>): NodeReport {
  return {
    lastHour: { since: 0, uploads, bytesIn: [], bytesOut: [], seals: [], errors },
  } as unknown as NodeReport;
}

test('the last hour of several nodes is added minute by minute', (t) => {
  const nodes = [report([1, 2, 3], { a: [0, 0, 1] }), report([10, 20], { b: [4, 0], a: [1, 0] })];
  t.deepEqual(together(nodes, 'uploads'), [1, 12, 23]);
  t.deepEqual(together([], 'uploads'), []);
  t.deepEqual(errorsByCode(nodes), [
    { code: 'b', minutes: [4, 0], count: 4 },
    { code: 'a', minutes: [0, 1, 1], count: 2 },
  ]);
});

test('a rate is that of the current minute and the one before', (t) => {
  t.is(perSecond([900, 60, 30], 0, 150_000), 1);
  t.is(perSecond([], 0, 0), 0);
});
