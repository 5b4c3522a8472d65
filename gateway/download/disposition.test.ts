import test from 'ava';
import fc from 'fast-check';
import { dispositionHeaders } from './disposition.ts';

function nameIn(objectName: string): string | undefined {
  return dispositionHeaders('attachment', objectName, '')['Content-Disposition'];
}

test('a file has the last part of the name, in ASCII and in full', (t) => {
  for (const [objectName, expected] of [
    ['a.jpg', `filename="a.jpg"; filename*=UTF-8''a.jpg`],
    ['summer/sea/a b.jpg', `filename="a b.jpg"; filename*=UTF-8''a%20b.jpg`],
    ['folder/', `filename="folder"; filename*=UTF-8''folder`],
    ['é😀.txt', `filename="__.txt"; filename*=UTF-8''%C3%A9%F0%9F%98%80.txt`],
    [`"a"%41'(*).txt`, `filename="_a__41'(*).txt"; filename*=UTF-8''%22a%22%2541%27%28%2A%29.txt`],
    ['a\r\nX: 1', `filename="a__X: 1"; filename*=UTF-8''a%0D%0AX%3A%201`],
  ] as const) {
    t.is(nameIn(objectName), `attachment; ${expected}`);
  }
});

test('whatever the name, it is a header that gives the name back', (t) => {
  const name = fc.string({ unit: 'binary', minLength: 1 }).filter((text) => !text.includes('/'));
  fc.assert(
    fc.property(name, (text) => {
      const match = /^attachment; filename="([\x20-\x7e]*)"; filename\*=UTF-8''([\w.~!%-]+)$/.exec(
        nameIn(`x/${text}`) ?? '',
      );
      t.notRegex(match?.[1] ?? '"', /["\\%]/);
      t.is(decodeURIComponent(match?.[2] ?? ''), text);
    }),
    { numRuns: 500 },
  );
});

test('a payload shown inline is sandboxed, except a PDF', (t) => {
  const policy = (disposition: 'inline' | 'attachment', contentType: string) =>
    dispositionHeaders(disposition, 'a', contentType)['Content-Security-Policy'];
  for (const contentType of [
    'text/html',
    'image/svg+xml',
    '',
    'application/pdf-1',
    'text/html; application/pdf',
  ]) {
    t.regex(policy('inline', contentType) ?? '', /default-src 'none'.*; sandbox$/);
  }
  t.is(policy('inline', 'application/pdf'), undefined);
  t.is(policy('inline', 'Application/PDF; version=2'), undefined);
  t.is(policy('attachment', 'text/html'), undefined);
});
