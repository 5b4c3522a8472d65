import test from 'ava';
import fc from 'fast-check';
import { mailbox, mailSubject, parseMailSubject } from './subjects.ts';

test('mailbox subjects contain receiver, kind, sender and column, and are read back', (t) => {
  const column = { job: { objectId: '4711', version: 2 }, redundancyIndex: 5, from: 1, to: 2 };
  t.is(mailSubject('offer', column), 'peer.2.offer.1.4711.2.5');
  t.is(mailbox('receipt', 2), 'peer.2.receipt.>');
  fc.assert(
    fc.property(
      fc.bigInt({ min: 1n, max: 2n ** 256n - 1n }),
      fc.nat(999_999_999),
      fc.nat(255),
      fc.constantFrom('offer' as const, 'receipt' as const),
      (id, version, redundancyIndex, kind) => {
        const any = { ...column, job: { objectId: String(id), version }, redundancyIndex };
        t.deepEqual(parseMailSubject(mailSubject(kind, any)), any);
      },
    ),
  );
});

test('other subjects are not mailbox subjects', (t) => {
  for (const subject of [
    'peer.2.offer.1.4711.2',
    'peer.2.letter.1.4711.2.5',
    'peer.2.offer.x.4711.2.5',
    'peer.2.offer.1.0.2.5',
    'peer.2.offer.1.4711.2.5.6',
  ]) {
    t.is(parseMailSubject(subject), undefined, subject);
  }
});
