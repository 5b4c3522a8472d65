import test from 'ava';
import { readTraceparent } from './traces.ts';

test('a traceparent is read only in the form of version 00', (t) => {
  const [id, span] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];
  t.deepEqual(readTraceparent(`00-${id}-${span}-01`), { traceId: id, spanId: span, flags: 1 });
  for (const text of [
    undefined,
    '',
    `01-${id}-${span}-01`,
    `00-${id.toUpperCase()}-${span}-01`,
    `00-${'0'.repeat(32)}-${span}-01`,
    `00-${id}-${'0'.repeat(16)}-01`,
    `00-${id}-${span}-01\r\nX: 1`,
    `00-${id}-${span}-01-more`,
  ]) {
    t.is(readTraceparent(text), undefined, String(text));
  }
});
