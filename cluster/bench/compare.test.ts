import test from 'ava';
import { compare, comparisonTable, losses } from './compare.ts';
import { type Figure, type FigureKind, summarise } from './figures.ts';

const figure = (kind: Partial<FigureKind>, value: number, floor?: number): Figure =>
  summarise(
    'small',
    { name: 'acks', title: 'acknowledged', unit: '/s', better: 'more', floor: 'raw', ...kind },
    [{ value, ...(floor !== undefined && { floor }) }],
  );

test('a gain above 1 is for the better, whichever way the figure goes', (t) => {
  const time: Partial<FigureKind> = { name: 'p50', unit: 'ms', better: 'less' };
  const changes = compare({ figures: [figure({}, 10), figure(time, 10)] }, [
    figure({}, 20),
    figure(time, 20),
  ]);
  t.deepEqual(
    changes.map(({ name, gain }) => [name, gain]),
    [
      ['small.acks', 2],
      ['small.p50', 0.5],
    ],
  );
});

test('relative to its floor, a figure of a slower machine is not worse', (t) => {
  const [change] = compare({ figures: [figure({}, 10, 100)] }, [figure({}, 5, 50)]);
  t.is(change?.gain, 0.5);
  t.is(change?.gainOverFloor, 1);
  t.deepEqual(losses(change ? [change] : [], 0.1), []);
});

test('a loss is more than the share that is allowed', (t) => {
  const changes = compare({ figures: [figure({}, 100)] }, [figure({}, 89)]);
  t.is(losses(changes, 0.1).length, 1);
  t.is(losses(changes, 0.2).length, 0);
});

test('figures in only one report are omitted, and a change from 0 has no ratio', (t) => {
  t.deepEqual(compare({ figures: [figure({}, 1)] }, [figure({ name: 'seals' }, 1)]), []);
  t.is(compare({ figures: [figure({}, 0)] }, [figure({}, 0)])[0]?.gain, 1);
  const from0 = compare({ figures: [figure({}, 0)] }, [figure({}, 3)]);
  t.deepEqual(from0[0]?.gain, Number.NaN);
  t.deepEqual(losses(from0, 0.1), []);
});

test('the table names before, after and the gain', (t) => {
  const lines = comparisonTable(compare({ figures: [figure({}, 10, 100)] }, [figure({}, 20, 100)]));
  t.regex(lines[2] ?? '', /small\.acks .* 10\.0 \/s .* 20\.0 \/s .* 2\.00 × .* 2\.00 ×/);
});
