import test from 'ava';
import fc from 'fast-check';
import type { FlowLimits } from '../limits.ts';
import { CreditBudget, type CreditLine } from './credit-budget.ts';

const LIMITS: FlowLimits = {
  credit: 64,
  creditPerSender: 24,
  creditPerStream: 16,
  inFlightPerReceiver: 24,
  pieceMessage: 5,
  minRate: 1,
};

function open(budget: CreditBudget, sender: number): CreditLine {
  return budget.open(sender, () => undefined);
}

function held(line: CreditLine): number {
  return line.granted - line.consumed;
}

test('an idle stream holds no credit', (t) => {
  const budget = new CreditBudget(LIMITS);
  const line = open(budget, 1);
  t.is(line.granted, 0);
  line.want(3);
  t.is(line.granted, 3);
  line.consume(3);
  t.is(budget.outstanding, 0);
});

test('stream, sender and total each have their limit', (t) => {
  const budget = new CreditBudget(LIMITS);
  const first = open(budget, 1);
  first.want(100);
  t.is(held(first), 15, 'three whole messages of five');
  const second = open(budget, 1);
  second.want(100);
  t.is(held(second), 5, 'the sender has 20 of 24; a whole message more does not fit');
  for (const sender of [2, 3]) {
    open(budget, sender).want(100);
    open(budget, sender).want(100);
  }
  t.is(budget.outstanding, 60);
});

test('several senders together cannot deny another its first message', (t) => {
  const budget = new CreditBudget(LIMITS);
  for (const sender of [1, 2, 3]) for (let i = 0; i < 2; i++) open(budget, sender).want(100);
  t.is(budget.outstanding, 60);
  const another = open(budget, 4);
  another.want(100);
  t.is(held(another), 5, 'and no more');
});

test('freed credit goes to the stream that has waited longest', (t) => {
  const budget = new CreditBudget(LIMITS);
  const lines = [open(budget, 1), open(budget, 1), open(budget, 1)] as const;
  for (const line of lines) line.want(100);
  t.deepEqual(lines.map(held), [15, 5, 0]);
  // Each five bytes that come free go to the next in turn.
  lines[0].consume(5);
  t.deepEqual(lines.map(held), [15, 5, 0]);
  lines[0].consume(5);
  t.deepEqual(lines.map(held), [10, 10, 0]);
  lines[0].consume(5);
  t.deepEqual(lines.map(held), [5, 10, 5]);
});

test('a closed stream returns its credit and gets no more', (t) => {
  const budget = new CreditBudget(LIMITS);
  const [first, second] = [open(budget, 1), open(budget, 1)];
  first.want(100);
  second.want(100);
  first.close();
  first.close();
  first.want(200);
  first.consume(1);
  t.is(held(second), 15);
  t.is(budget.outstanding, 15);
});

test('no limit is ever exceeded, and nobody waits while there is room', (t) => {
  const step = fc.record({
    line: fc.nat(7),
    what: fc.constantFrom('want', 'consume', 'close'),
    bytes: fc.integer({ min: 1, max: 30 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const budget = new CreditBudget(LIMITS);
      const lines = Array.from({ length: 8 }, (_, i) => ({
        line: open(budget, i % 3),
        sender: i % 3,
        wanted: 0,
      }));
      const closed = new Set<CreditLine>();
      for (const { line: index, what, bytes } of steps) {
        const it = lines[index] as (typeof lines)[number];
        if (what === 'want') {
          it.line.want(it.wanted + bytes);
          if (!closed.has(it.line)) it.wanted += bytes;
        } else if (what === 'consume') it.line.consume(Math.min(bytes, held(it.line)));
        else closed.add(it.line) && it.line.close();

        const open = lines.filter(({ line }) => !closed.has(line));
        const sum = (of: typeof open) => of.reduce((total, { line }) => total + held(line), 0);
        t.is(budget.outstanding, sum(open));
        t.true(budget.outstanding <= LIMITS.credit);
        for (const { line, sender, wanted } of open) {
          const ofSender = sum(open.filter((other) => other.sender === sender));
          t.true(ofSender <= LIMITS.creditPerSender && held(line) <= LIMITS.creditPerStream);
          t.true(line.granted <= wanted);
          const next = Math.min(LIMITS.pieceMessage, wanted - line.granted);
          const fits =
            budget.outstanding + next <= LIMITS.credit &&
            ofSender + next <= LIMITS.creditPerSender &&
            held(line) + next <= LIMITS.creditPerStream;
          t.false(next > 0 && fits, 'a stream waits although its next message fits');
        }
      }
    }),
    { numRuns: 100 },
  );
});
