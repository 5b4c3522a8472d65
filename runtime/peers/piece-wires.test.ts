import test from 'ava';
import { Retryable, Terminal } from '#protocols/errors';
import type { PieceSource } from './peers.ts';
import { PieceWires } from './piece-wires.ts';

const REQUEST = {
  job: { objectId: '1', version: 0 },
  to: 2,
  gvgId: 1,
  redundancyIndex: 0,
  segmentIndex: 0,
  length: 1,
};
const AWAY = new Retryable({ code: 'peer-unreachable', message: 'Nobody listens.' });
const REFUSED = new Terminal({ code: 'fetch-refused', message: 'No.' });

/** A wire that says by which name it was asked, and answers with its byte or a failure. */
function wire(name: string, byte: number, asked: string[], failure?: () => Error | undefined): PieceSource {
  const answer = async <T>(result: T): Promise<T> => {
    asked.push(name);
    const error = failure?.();
    if (error) throw error;
    return result;
  };
  return {
    fetchPiece: () => answer(Uint8Array.of(byte)),
    fetchChecksums: () => answer(name === 'nats' ? ['aa'] : undefined),
  };
}

test('an SP that does not answer on NATS is asked over HTTP, and there first from then on', async (t) => {
  const asked: string[] = [];
  let nats: Error | undefined = AWAY;
  const wires = new PieceWires({ nats: wire('nats', 1, asked, () => nats), http: wire('http', 2, asked) });
  t.deepEqual(await wires.fetchPiece(REQUEST), Uint8Array.of(2));
  t.deepEqual(await wires.fetchPiece(REQUEST), Uint8Array.of(2));
  t.deepEqual(asked, ['nats', 'http', 'http']);
  nats = undefined;
  t.deepEqual(await wires.fetchPiece({ ...REQUEST, to: 3 }), Uint8Array.of(1));
  t.is(await wires.fetchChecksums({ ...REQUEST, segmentCount: 1 }), undefined);
});

test('an SP that refuses is not asked again over the other wire', async (t) => {
  const asked: string[] = [];
  const wires = new PieceWires({ nats: wire('nats', 1, asked, () => REFUSED), http: wire('http', 2, asked) });
  t.is(await t.throwsAsync(wires.fetchPiece(REQUEST)), REFUSED);
  t.deepEqual(asked, ['nats']);
});

test('with a single wire, its answers and errors are passed on', async (t) => {
  const asked: string[] = [];
  t.deepEqual(await new PieceWires({ http: wire('http', 2, asked) }).fetchPiece(REQUEST), Uint8Array.of(2));
  const away = new PieceWires({ nats: wire('nats', 1, asked, () => AWAY) });
  t.is(await t.throwsAsync(away.fetchPiece(REQUEST)), AWAY);
  await t.throwsAsync(new PieceWires({}).fetchPiece(REQUEST), { code: 'peer-unreachable' });
});
