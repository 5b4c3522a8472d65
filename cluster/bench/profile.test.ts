import test from 'ava';
import { type CpuProfile, hotspots, hotspotTables } from './profile.ts';

const frame = (id: number, functionName: string, url = '', lineNumber = 0) => ({
  id,
  callFrame: { functionName, url, lineNumber },
});

const PROFILE: CpuProfile = {
  nodes: [
    frame(1, '(idle)'),
    frame(2, 'sign', 'file:///x/node_modules/@noble/curves/a.js', 9),
    frame(3, '', 'file:///x/node_modules/@noble/curves/b.js', 4),
    frame(4, 'decide', 'file:///x/dist/protocols/job/decide.js', 1),
    frame(5, '(garbage collector)'),
  ],
  startTime: 1_000,
  samples: [1, 2, 3, 4, 5, 2],
  timeDeltas: [1_000, 2_000, 3_000, 4_000, 5_000, 6_000],
};

test('self times are summed by function and by package or file, without idle time', (t) => {
  const { busyMs, idleMs, functions, modules } = hotspots(PROFILE);
  t.is(busyMs, 20);
  t.is(idleMs, 1);
  t.deepEqual(functions[0], ['sign node_modules/@noble/curves/a.js:10', 8]);
  t.deepEqual(modules, [
    ['@noble/curves', 11],
    ['(garbage collector)', 5],
    ['protocols/job/decide.js', 4],
  ]);
});

test('samples before a given time are omitted', (t) => {
  t.is(hotspots(PROFILE, 16_500).busyMs, 6);
});

test('the tables show shares of the busy time', (t) => {
  t.true(hotspotTables(hotspots(PROFILE)).some((line) => /55\.0 % \| 11 +\| @noble\/curves/.test(line)));
});
