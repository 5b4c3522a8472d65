import test from 'ava';
import fc from 'fast-check';
import { jobKeyPrefix, parsePieceKey, pieceKey, segmentKey } from './keys.ts';

test('keys of the first version are those of the upload document', (t) => {
  const job = { objectId: '4711', version: 0 };
  t.is(segmentKey(job, 12), '4711+s12');
  t.is(pieceKey(job, 12, 5), '4711+s12+p5');
});

test('keys of a later version contain the version', (t) => {
  const job = { objectId: '4711', version: 3 };
  t.is(segmentKey(job, 0), '4711+v3+s0');
  t.is(pieceKey(job, 0, 2), '4711+v3+s0+p2');
});

const names = fc.record(
  {
    job: fc.record({
      objectId: fc.bigInt({ min: 1n, max: 2n ** 256n - 1n }).map(String),
      version: fc.nat(999_999_999),
    }),
    segmentIndex: fc.nat(),
    redundancyIndex: fc.nat(255),
  },
  { requiredKeys: ['job', 'segmentIndex'] },
);

test('a key is read back as written', (t) => {
  fc.assert(
    fc.property(names, (name) => {
      const key =
        name.redundancyIndex === undefined
          ? segmentKey(name.job, name.segmentIndex)
          : pieceKey(name.job, name.segmentIndex, name.redundancyIndex);
      t.deepEqual(parsePieceKey(key), name);
      t.true(key.startsWith(jobKeyPrefix(name.job)));
    }),
  );
});

test('the prefix of one job matches no key of another', (t) => {
  const jobs = ['1', '11', '111'].flatMap((objectId) => [0, 1, 11].map((version) => ({ objectId, version })));
  for (const a of jobs) {
    for (const b of jobs) t.is(segmentKey(b, 1).startsWith(jobKeyPrefix(a)), a === b);
  }
});

test('other text is not a key', (t) => {
  const others = [
    '',
    '4711',
    '4711+s',
    '4711+s01',
    '04711+s1',
    '0+s1',
    '4711+v0+s1',
    '4711+v01+s1',
    '4711+s1+p',
    '4711+s1+p01',
    '4711+s1+p1+p2',
    '4711+s1+p1000',
    '4711+s-1',
    '4711_s1',
    's4711_s1',
    ' 4711+s1',
    '4711+s1\n',
    '4711+p1+s1',
  ];
  for (const text of others) t.is(parsePieceKey(text), undefined, JSON.stringify(text));
});
