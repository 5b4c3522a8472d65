import test from 'ava';
import { Terminal } from '#protocols/errors';
import { readRange } from './range.ts';

test('no header means the whole payload', (t) => {
  t.is(readRange(undefined, 10), undefined);
});

test('ranges, open ranges and suffixes are clamped to the payload', (t) => {
  const cases: [string, number, number][] = [
    ['bytes=0-0', 0, 1],
    ['bytes=2-4', 2, 3],
    ['bytes=2-', 2, 8],
    ['bytes=2-99', 2, 8],
    ['bytes=9-9', 9, 1],
    ['bytes=-3', 7, 3],
    ['bytes=-99', 0, 10],
    ['Bytes = 2 - 4', 2, 3],
  ];
  for (const [header, offset, length] of cases) {
    t.deepEqual(readRange(header, 10), { offset, length }, header);
  }
});

test('anything else is refused', (t) => {
  const wrong = ['bytes=4-2', 'bytes=10-', 'bytes=10-12', 'bytes=-0', 'bytes=-', 'bytes=', 'bytes=a-b'];
  for (const header of [...wrong, 'bytes=0-1,3-4', '0-1', 'items=0-1', 'bytes=--1', 'bytes=1.5-2', '']) {
    const error = t.throws(() => readRange(header, 10), { instanceOf: Terminal }, header);
    t.is(error?.gatewayCode, 50012);
  }
  t.throws(() => readRange('bytes=0-', 0), { instanceOf: Terminal });
});
