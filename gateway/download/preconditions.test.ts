import test from 'ava';
import fc from 'fast-check';
import { httpDate, parseHttpDate } from './http-date.ts';
import { evaluate, type Validators, type Verdict } from './preconditions.ts';

const TAG = '"4711.0-00"';
const AT = 784_111_777;
const content: Validators = { etag: TAG, lastModified: AT, replaces: false };
const EARLIER = httpDate(AT - 1);
const SAME = httpDate(AT);
const LATER = httpDate(AT + 1);

type Conditions = Readonly<Record<string, string | undefined>>;

function verdict(conditions: Conditions, of = content): Verdict {
  const headers = new Headers();
  for (const [name, value] of Object.entries(conditions)) if (value !== undefined) headers.set(name, value);
  return evaluate((name) => headers.get(name) ?? undefined, of);
}

test('a date is read in any of three forms, and other texts are not dates', (t) => {
  for (const date of [
    'Sun, 06 Nov 1994 08:49:37 GMT',
    'Sunday, 06-Nov-94 08:49:37 GMT',
    'Sun Nov  6 08:49:37 1994',
  ]) {
    t.is(parseHttpDate(date), AT, date);
  }
  t.is(httpDate(AT), 'Sun, 06 Nov 1994 08:49:37 GMT');
  for (const text of ['', '1', '784111777', '1994-11-06T08:49:37Z', 'Sun, 06 Now 1994 08:49:37 GMT', TAG]) {
    t.is(parseHttpDate(text), undefined, text);
  }
});

test('each condition by itself', (t) => {
  const cases: [Conditions, Verdict][] = [
    [{}, 'as-asked'],
    [{ 'If-Match': TAG }, 'as-asked'],
    [{ 'If-Match': '*' }, 'as-asked'],
    [{ 'If-Match': `"other", "a,b" ,${TAG}` }, 'as-asked'],
    [{ 'If-Match': '"other"' }, 'failed'],
    [{ 'If-Match': `W/${TAG}` }, 'failed'],
    [{ 'If-Match': 'no tag' }, 'failed'],
    [{ 'If-Unmodified-Since': SAME }, 'as-asked'],
    [{ 'If-Unmodified-Since': LATER }, 'as-asked'],
    [{ 'If-Unmodified-Since': EARLIER }, 'failed'],
    [{ 'If-Unmodified-Since': 'yesterday' }, 'as-asked'],
    [{ 'If-None-Match': TAG }, 'not-modified'],
    [{ 'If-None-Match': `W/${TAG}` }, 'not-modified'],
    [{ 'If-None-Match': `"a", ${TAG}` }, 'not-modified'],
    [{ 'If-None-Match': '*' }, 'not-modified'],
    [{ 'If-None-Match': '"other"' }, 'as-asked'],
    [{ 'If-None-Match': `"other${TAG.slice(1)}` }, 'as-asked'],
    [{ 'If-Modified-Since': SAME }, 'not-modified'],
    [{ 'If-Modified-Since': LATER }, 'not-modified'],
    [{ 'If-Modified-Since': EARLIER }, 'as-asked'],
    [{ 'If-Modified-Since': '0' }, 'as-asked'],
    [{ 'If-Range': TAG }, 'as-asked'],
    [{ 'If-Range': SAME }, 'as-asked'],
    [{ 'If-Range': `W/${TAG}` }, 'whole'],
    [{ 'If-Range': '"other"' }, 'whole'],
    [{ 'If-Range': LATER }, 'whole'],
    [{ 'If-Range': EARLIER }, 'whole'],
    [{ 'If-Range': '' }, 'whole'],
  ];
  for (const [conditions, expected] of cases) t.is(verdict(conditions), expected, JSON.stringify(conditions));
});

test('a date after the announcement of an update says nothing: the content before was served until its seal', (t) => {
  const update = { ...content, replaces: true };
  t.is(verdict({ 'If-Modified-Since': LATER }, update), 'as-asked');
  t.is(verdict({ 'If-Unmodified-Since': LATER }, update), 'failed');
  t.is(verdict({ 'If-Modified-Since': SAME }, update), 'not-modified');
  t.is(verdict({ 'If-Unmodified-Since': SAME }, update), 'as-asked');
});

const tag = fc.constantFrom(undefined, TAG, '"other"', '*');
const date = fc.constantFrom(undefined, EARLIER, SAME, LATER, 'no date');
const any = fc.record({
  'If-Match': tag,
  'If-Unmodified-Since': date,
  'If-None-Match': tag,
  'If-Modified-Since': date,
  'If-Range': fc.constantFrom(undefined, TAG, '"other"', SAME, LATER),
});

/** A literal transcription of the steps of RFC 9110 §13.2.2. */
function byTheSteps(conditions: Conditions): Verdict {
  const alone = (name: string) => verdict({ [name]: conditions[name] });
  const [first, second] = [
    ['If-Match', 'If-Unmodified-Since'],
    ['If-None-Match', 'If-Modified-Since'],
  ].map(([tags = '', dates = '']) => alone(conditions[tags] === undefined ? dates : tags));
  if (first === 'failed') return 'failed';
  return second === 'not-modified' ? 'not-modified' : alone('If-Range');
}

test('all together are evaluated in the order of the RFC', (t) => {
  fc.assert(
    fc.property(any, (conditions) => {
      t.is(verdict(conditions), byTheSteps(conditions), JSON.stringify(conditions));
    }),
    { numRuns: 1000 },
  );
});
