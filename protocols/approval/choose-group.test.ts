import test from 'ava';
import { type AskedGroup, chooseGroup, isFresh, type MemberAnswer, shortfalls } from './choose-group.ts';

const NOW = 1_000_000;
const GROUPS: readonly AskedGroup[] = [
  { gvgId: 7, secondarySpIds: [2, 3, 4, 5, 6, 7] },
  { gvgId: 8, secondarySpIds: [3, 4, 5, 6, 7, 8] },
];

/** An SP that grants every place it has in the groups. */
function grants(spId: number, changes: Partial<MemberAnswer> = {}): MemberAnswer {
  const granted = GROUPS.flatMap(({ gvgId, secondarySpIds }) => {
    const redundancyIndex = secondarySpIds.indexOf(spId);
    return redundancyIndex < 0 ? [] : [{ gvgId, redundancyIndex }];
  });
  return { spId, expiresAt: NOW + 3_600_000, granted, refused: [], message: `m${spId}`, ...changes };
}

function answersOf(...spIds: number[]): MemberAnswer[] {
  return spIds.map((spId) => grants(spId));
}

test('of two groups whose members all approved, the first in order is chosen', (t) => {
  const chosen = chooseGroup(GROUPS, answersOf(8, 7, 6, 5, 4, 3, 2), NOW);
  t.is(chosen?.gvgId, 7);
  t.deepEqual(
    chosen?.approvals.map(({ spId, redundancyIndex, message }) => [spId, redundancyIndex, message]),
    [2, 3, 4, 5, 6, 7].map((spId, index) => [spId, index, `m${spId}`]),
  );
  t.is(chooseGroup(GROUPS.toReversed(), answersOf(2, 3, 4, 5, 6, 7, 8), NOW)?.gvgId, 8);
});

test('a group with one member missing is skipped', (t) => {
  t.is(chooseGroup(GROUPS, answersOf(3, 4, 5, 6, 7, 8), NOW)?.gvgId, 8);
  t.is(chooseGroup(GROUPS, answersOf(3, 4, 5, 6, 7), NOW), undefined);
  t.is(chooseGroup(GROUPS, [], NOW), undefined);
  t.is(chooseGroup([{ gvgId: 7, secondarySpIds: [] }], [], NOW), undefined);
});

test('an approval counts only for its own group and index', (t) => {
  const rest = answersOf(3, 4, 5, 6, 7);
  for (const granted of [[{ gvgId: 7, redundancyIndex: 1 }], [{ gvgId: 8, redundancyIndex: 0 }], []]) {
    t.is(chooseGroup(GROUPS, [...rest, grants(2, { granted })], NOW), undefined);
  }
});

test('an approval with less than a minute left is stale', (t) => {
  t.true(isFresh({ expiresAt: NOW + 60_000 }, NOW));
  t.false(isFresh({ expiresAt: NOW + 59_999 }, NOW));
  const stale = grants(2, { expiresAt: NOW + 59_999 });
  t.is(chooseGroup(GROUPS, [...answersOf(3, 4, 5, 6, 7), stale], NOW), undefined);
  t.is(chooseGroup(GROUPS, [...answersOf(3, 4, 5, 6, 7), stale, grants(2)], NOW)?.gvgId, 7);
});

test('the missing approvals of a group are reported by provider', (t) => {
  const draining = { gvgId: 7, code: 'draining', reason: 'It is being drained.' };
  const answers = [...answersOf(3, 4, 5, 6), grants(2, { granted: [], refused: [draining] })];
  t.deepEqual(shortfalls(GROUPS, answers, NOW), [
    { gvgId: 7, refused: [{ spId: 2, code: 'draining', reason: 'It is being drained.' }], silent: [7] },
    { gvgId: 8, refused: [], silent: [7, 8] },
  ]);
});
