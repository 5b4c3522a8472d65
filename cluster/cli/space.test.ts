import test from 'ava';
import { spaceLines } from './space.ts';

const NOW = 1_700_000_000_000;

test('the survey sorts stored data by the chain: needed, no longer needed and why, unknown, incomplete', (t) => {
  const survey = {
    startedAt: NOW - 400_000,
    finishedAt: NOW - 240_000,
    position: 9,
    needed: { units: 3, bytes: 5_000 },
    unneeded: { units: 1, bytes: 10 },
    unknown: { units: 0, bytes: 0 },
  };
  const unneeded = [
    { unit: '4711.0', because: 'it was replaced by version 1', since: NOW - 1, goesAt: NOW + 3_000_000 },
    { unit: '998.0/2', because: 'the object is gone from the chain', since: NOW - 9, goesAt: NOW - 9 },
  ];
  const incomplete = [{ objectId: '12', version: 0 }];
  t.deepEqual(spaceLines(4, { survey, unneeded, incomplete }, NOW), [
    'sp 4, compared with the chain 4 min ago',
    '  needed            3 units (payloads and columns), 4.9 KiB (5000 bytes)',
    '  no longer needed  1 unit (payloads and columns), 10 bytes',
    '  unknown           0 units (payloads and columns), 0 bytes',
    '  4711.0 will be deleted in 50 min: it was replaced by version 1',
    '  998.0/2 will be deleted in the next round: the object is gone from the chain',
    '  12.0 is needed, and incomplete here',
  ]);
  t.deepEqual(spaceLines(4, { unneeded: [], incomplete: [] }, NOW), [
    'sp 4 has not compared its store with the chain yet',
  ]);
});
