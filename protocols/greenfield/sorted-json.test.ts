import test from 'ava';
import fc from 'fast-check';
import { type JsonValue, sortedJson } from './sorted-json.ts';

test('keys are sorted at every level, without whitespace', (t) => {
  t.is(
    sortedJson({ b: [{ d: 1, c: 'x' }], a: null, 10: true, 9: false }),
    '{"10":true,"9":false,"a":null,"b":[{"c":"x","d":1}]}',
  );
});

test("characters are escaped as by Go's encoder", (t) => {
  t.is(sortedJson({ 'a<': '<&>\u2028\u2029' }), String.raw`{"a\u003c":"\u003c\u0026\u003e\u2028\u2029"}`);
  t.is(sortedJson('\b\f\n\r\t"\\\u0001'), String.raw`"\u0008\u000c\n\r\t\"\\\u0001"`);
  t.is(sortedJson('\\b\\\\f'), String.raw`"\\b\\\\f"`);
});

test('the output is JSON of the same value', (t) => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      t.deepEqual(JSON.parse(sortedJson(value as JsonValue)), JSON.parse(JSON.stringify(value)));
    }),
  );
});
