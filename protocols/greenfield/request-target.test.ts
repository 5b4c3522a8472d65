import test from 'ava';
import fc from 'fast-check';
import { canonicalRequest } from './canonical-request.ts';
import { parseQuery, splitTarget } from './request-target.ts';

/** What a signature covers of a query, as the text that is signed says. */
function signedQuery(query: string): string {
  const request = { method: 'GET', target: `/a?${query}`, host: 'sp1.example.com', headers: [] };
  return canonicalRequest(request).split('\n')[2] ?? '';
}

test('query parameters not covered by the signature have no effect', (t) => {
  const query = 'delegate;x=1&%zz=1&a=%FF&b=1;offset=0&offset=%&complete=true&c';
  t.deepEqual(parseQuery(query), [
    ['complete', 'true'],
    ['c', ''],
  ]);
  t.is(signedQuery(query), 'c=&complete=true');
});

test('a repeated name is signed each time, in order', (t) => {
  const query = 'offset=4&complete=true&offset=0';
  t.is(new URLSearchParams(parseQuery(query)).get('offset'), '4');
  t.is(signedQuery(query), 'complete=true&offset=4&offset=0');
});

test('only the signed part of a query is read', (t) => {
  const text = fc.oneof(
    fc.constantFrom(
      'offset',
      'complete',
      'delegate',
      '%6fffset',
      'of+fset',
      '%zz',
      '%',
      '%FF',
      '%C3',
      ';',
      '',
      'é',
    ),
    fc.string({ maxLength: 8 }),
    fc.string({ unit: fc.constantFrom(...'%=&;+ab0fF#?/'), maxLength: 12 }),
  );
  const pair = fc.tuple(text, text).map(([name, value]) => `${name}=${value}`);
  const query = fc.array(fc.oneof(text, pair), { maxLength: 8 }).map((pairs) => pairs.join('&'));
  fc.assert(
    fc.property(query, (query) => {
      const read = new URLSearchParams(parseQuery(query));
      const signed = new URLSearchParams(signedQuery(query));
      const names = new Set([...read.keys(), ...signed.keys()]);
      for (const name of names) t.deepEqual(read.getAll(name), signed.getAll(name));
    }),
    { numRuns: 2_000 },
  );
});

test('a target is split as it was sent', (t) => {
  t.deepEqual(splitTarget('//a/../b?c?d'), { path: '//a/../b', query: 'c?d' });
  t.deepEqual(splitTarget('*'), { path: '*', query: '' });
});
