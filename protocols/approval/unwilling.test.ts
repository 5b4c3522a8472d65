import test from 'ava';
import { unwillingIn, unwillingText } from './unwilling.ts';

const FULL = { spId: 4, code: 'full', reason: 'its disk is full; nothing is left.' };

test('who refused and who did not answer can be read from the text for operators', (t) => {
  const text = unwillingText([
    { gvgId: 5, refused: [FULL], silent: [6] },
    { gvgId: 7, refused: [], silent: [6] },
  ]);
  t.is(
    text,
    'sp 4 refused group 5: its disk is full, nothing is left; sp 6 did not answer for group 5; sp 6 did not answer for group 7',
  );
  const found = [
    { spId: 4, gvgId: 5, reason: 'its disk is full, nothing is left' },
    { spId: 6, gvgId: 5 },
    { spId: 6, gvgId: 7 },
  ];
  t.deepEqual(unwillingIn(text), found);
  t.deepEqual(unwillingIn(`No group was approved: ${text}.`), found);
});

test('a text names no more than a dozen members, and says how many there are', (t) => {
  const text = unwillingText([
    { gvgId: 5, refused: [FULL], silent: Array.from({ length: 20 }, (_, i) => i) },
  ]);
  t.regex(text, /, and 9 more$/);
  t.is(unwillingIn(`${text}.`).length, 12);
});

test('a text about something else names nobody', (t) => {
  t.deepEqual(unwillingIn('The chain does not answer; sp 4 is well.'), []);
});
