import test from 'ava';
import { type FigureKind, summarise } from './figures.ts';
import { figureTable, rounded } from './table.ts';

const KIND: FigureKind = {
  name: 'acks',
  title: 'acknowledged',
  unit: '/s',
  better: 'more',
  floor: 'raw puts',
};

test('a ratio is of a value and a floor of the same run, and the middle one counts', (t) => {
  const figure = summarise('small', KIND, [
    { value: 10, floor: 100 },
    { value: 30, floor: 60 },
    { value: 20, floor: 100 },
  ]);
  t.like(figure, { name: 'small.acks', value: 20, lowest: 10, highest: 30, runs: 3 });
  t.deepEqual(figure.floor, { title: 'raw puts', value: 100, ratio: 0.2 });
});

test('a target is reached when every bound holds', (t) => {
  const reached = (value: number, floor: number) =>
    summarise('small', { ...KIND, wanted: { value: { atLeast: 60 }, ratio: { atLeast: 0.2 } } }, [
      { value, floor },
    ]).wanted?.reached;
  t.true(reached(60, 300));
  t.false(reached(60, 301));
  t.false(reached(59, 100));
  const most = summarise('small', { ...KIND, better: 'less', wanted: { value: { atMost: 5 } } }, [
    { value: 6 },
  ]);
  t.false(most.wanted?.reached);
});

test('a ratio that is wanted and was not measured is not reached', (t) => {
  t.false(summarise('small', { ...KIND, wanted: { ratio: { atLeast: 0 } } }, [{ value: 1 }]).wanted?.reached);
});

test('there is no ratio to a floor of 0', (t) => {
  t.is(summarise('small', KIND, [{ value: 1, floor: 0 }]).floor, undefined);
});

test('a figure without measurements is an error', (t) => {
  t.throws(() => summarise('small', KIND, []), { instanceOf: RangeError });
});

test('the table shows each figure beside its floor, and what is wanted', (t) => {
  const figure = summarise('small', { ...KIND, wanted: { ratio: { atLeast: 0.2 } } }, [
    { value: 10, floor: 100 },
    { value: 20, floor: 100 },
  ]);
  const [head, rule, row, ...rest] = figureTable([figure]);
  t.deepEqual(rest, []);
  t.is(head?.length, row?.length);
  t.is(rule?.length, row?.length);
  t.regex(
    row ?? '',
    /^\| small\.acks \| acknowledged \| 15\.0 \/s \(10\.0–20\.0\) \| 100 \/s \(raw puts\) \| 0\.150 × +\| ≥ 0\.200 × ✘ \|$/,
  );
});

test('numbers have three digits', (t) => {
  t.deepEqual([0, 0.012345, 1.2345, 12.345, 123.45, 12345.6, Number.NaN].map(rounded), [
    '0',
    '0.0123',
    '1.23',
    '12.3',
    '123',
    '12346',
    '–',
  ]);
});
