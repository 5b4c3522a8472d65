import test from 'ava';
import fc from 'fast-check';
import type { SignedTransaction } from '#protocols/greenfield/transaction';
import { Sequences } from './sequences.ts';

const HOLD_MS = 100;

let serial = 0;
function sign(book: Sequences, now: number): SignedTransaction {
  const sequence = book.next(now);
  if (sequence === undefined) throw new Error('the sequence is not known');
  serial += 1;
  const transaction = { bytes: '', hash: String(serial), sequence };
  book.signed(transaction, now);
  return transaction;
}

function bookAt(expected: number): Sequences {
  const book = new Sequences(HOLD_MS);
  book.learn(expected);
  return book;
}

test('the sequence is unknown until the chain has been asked, and after a reset', (t) => {
  const book = new Sequences(HOLD_MS);
  t.is(book.next(0), undefined);
  book.learn(7);
  t.is(book.next(0), 7);
  book.forget();
  t.is(book.next(0), undefined);
});

test('signatures ahead of the broadcasts get rising sequences, and are broadcast in their order', (t) => {
  const book = bookAt(5);
  const [a, b, c] = [sign(book, 0), sign(book, 1), sign(book, 2)];
  t.deepEqual([a.sequence, b.sequence, c.sequence], [5, 6, 7]);
  t.is(book.heldUntil(a, 3), undefined);
  t.is(book.heldUntil(c, 3), HOLD_MS);
  book.accepted(a);
  t.is(book.heldUntil(b, 3), undefined);
  t.is(book.heldUntil(c, 3), HOLD_MS + 1);
  book.accepted(b);
  t.is(book.heldUntil(c, 3), undefined);
});

test('a sequence that is never broadcast is reused, and blocks nobody', (t) => {
  const book = bookAt(5);
  sign(book, 0);
  const later = sign(book, 50);
  t.is(book.heldUntil(later, 99), HOLD_MS);
  t.is(book.heldUntil(later, 100), undefined);
  t.is(book.next(100), 5);
});

test('a refusal frees the sequence and voids the signatures above it', (t) => {
  const book = bookAt(5);
  const [a, b] = [sign(book, 0), sign(book, 0)];
  book.refused(a);
  t.is(book.next(0), 5);
  t.is(book.heldUntil(b, 0), undefined);
  book.refused(b);
  t.is(book.next(0), 5);
});

test('a refusal of a transaction from elsewhere changes nothing', (t) => {
  const book = bookAt(5);
  sign(book, 0);
  book.refused({ bytes: '', hash: 'foreign', sequence: 5 });
  t.is(book.next(0), 6);
});

test('when the chain is ahead, the sequences follow, and used ones are no longer waited for', (t) => {
  const book = bookAt(5);
  sign(book, 0);
  const second = sign(book, 0);
  book.learn(6);
  t.is(book.next(0), 7);
  t.is(book.heldUntil(second, 0), undefined);
  book.learn(20);
  t.is(book.next(0), 20);
});

test('when the chain is behind, an outstanding transaction may still fill the gap, a lost one never will', (t) => {
  const waiting = bookAt(5);
  sign(waiting, 0);
  waiting.learn(5);
  t.is(waiting.next(0), 6);

  const lost = bookAt(5);
  lost.accepted(sign(lost, 0));
  t.is(lost.next(0), 6);
  lost.learn(5);
  t.is(lost.next(0), 5);
});

/** A chain's mempool: takes sequences in order, without gaps. */
test('every job gets its turn, whether transactions are broadcast late, twice or never', (t) => {
  const step = fc.record({
    order: fc.constantFrom('sign', 'broadcast', 'drop', 'wait', 'foreign'),
    pick: fc.nat(20),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const book = bookAt(0);
      let expected = 0;
      let now = 0;
      const signed: SignedTransaction[] = [];
      const send = (transaction: SignedTransaction): boolean => {
        if (transaction.sequence !== expected) {
          book.learn(expected);
          return false;
        }
        expected += 1;
        book.accepted(transaction);
        return true;
      };
      for (const { order, pick } of steps) {
        now += 10;
        const chosen = signed[pick % Math.max(1, signed.length)];
        if (order === 'sign') signed.push(sign(book, now));
        else if (order === 'wait') now += pick * 10;
        else if (order === 'foreign') expected += 1;
        else if (chosen) {
          if (order === 'broadcast' && book.heldUntil(chosen, now) !== undefined) continue;
          if (order === 'broadcast') send(chosen);
          signed.splice(signed.indexOf(chosen), 1);
        }
      }
      now += HOLD_MS;
      for (let tries = 0; tries < 3; tries += 1) if (send(sign(book, now))) return;
      throw new Error('three signatures were not enough');
    }),
    { numRuns: 2000 },
  );
  t.pass();
});
