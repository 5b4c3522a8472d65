import test from 'ava';
import { Retryable } from '#protocols/errors';
import { countedClient, PeerCounts } from './peer-counts.ts';
import type { ApprovalAsk, ColumnOffer, PeerClient } from './peers.ts';

const ASK = {} as ApprovalAsk;
const OFFER = { to: 4 } as ColumnOffer;

test('answers, columns and failures are counted by SP', async (t) => {
  const client: PeerClient = {
    async *ask() {
      yield { spId: 3, expiresAt: 1, granted: [{ gvgId: 1, redundancyIndex: 0 }], refused: [], message: 'x' };
      yield {
        spId: 4,
        expiresAt: 1,
        granted: [],
        refused: [{ gvgId: 1, code: 'full', reason: 'no' }],
        message: '',
      };
    },
    open: async () => ({
      firstMissing: 0,
      send: async () => undefined,
      done: async () => {
        throw new Retryable({ code: 'receipt-late', message: 'late' });
      },
      close: () => undefined,
    }),
  };
  const counts = new PeerCounts();
  const counted = countedClient(client, counts);
  for await (const _ of counted.ask(ASK, { timeoutMs: 1 })) t.pass();
  const session = await counted.open(OFFER, {});
  await session.send({ segmentIndex: 0, bytes: new Uint8Array(5) });
  await t.throwsAsync(session.done([]), { code: 'receipt-late' });
  t.like(counts.report(), [
    { spId: 3, wire: 'nats', approvals: { given: 1 } },
    {
      spId: 4,
      wire: 'http',
      approvals: { given: 0, refused: { full: 1 } },
      columnsOut: { done: 0, bytes: 5, failed: { 'receipt-late': 1 } },
      lastError: { code: 'receipt-late' },
    },
  ]);
});

test('neither SPs nor the codes that they choose fill the memory', (t) => {
  const counts = new PeerCounts();
  for (let i = 0; i < 1_500; i += 1) counts.of(i);
  t.is(counts.report().length, 1_000);
  for (let i = 0; i < 200; i += 1) {
    const refused = [{ gvgId: 1, code: `code-${i}`, reason: 'x'.repeat(10_000) }];
    counts.answered({ spId: 1_499, expiresAt: 1, granted: [], refused, message: '' }, 1);
  }
  const peer = counts.of(1_499);
  t.is(Object.keys(peer.approvals.refused).length, 51);
  t.is(peer.approvals.refused.other, 150);
  t.is(peer.lastError?.message.length, 500);
});
