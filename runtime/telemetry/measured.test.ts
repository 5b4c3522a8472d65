import test from 'ava';
import { Retryable } from '#protocols/errors';
import type { Chain } from '../chain/chain.ts';
import { measuredChain } from '../chain/measured-chain.ts';
import { measuredPieceStore } from '../pieces/measured-piece-store.ts';
import type { PieceStore } from '../pieces/piece-store.ts';
import { Metrics } from './metrics.ts';

test('operations of the PieceStore are timed, and their bytes counted', async (t) => {
  const metrics = new Metrics();
  const store: Partial<PieceStore> = {
    put: async (key) => ({ key, size: 7, checksum: '0x' }),
    async *read() {
      yield new Uint8Array(3);
      yield new Uint8Array(4);
    },
  };
  const measured = measuredPieceStore(store as PieceStore, metrics);
  t.is((await measured.put('a', new Uint8Array(7))).size, 7);
  for await (const _ of measured.read('a'));
  t.deepEqual(
    ['in', 'out'].map((direction) => metrics.pieceBytes.of(direction).value),
    [7, 7],
  );
  t.is(metrics.pieceSeconds.of('read').count, 1);
});

test('queries of the chain are timed by name, failed ones too', async (t) => {
  const metrics = new Metrics();
  class Node {
    readonly chainId = 'greenfield_9000-1741';
    #height = 3;
    latestBlock = async () => ({ height: this.#height, time: 0 });
    async bucket() {
      throw new Retryable({ code: 'chain-unavailable', message: 'no' });
    }
  }
  const chain = measuredChain(new Node() as unknown as Chain, metrics);
  t.is(chain.chainId, 'greenfield_9000-1741');
  t.is((await chain.latestBlock()).height, 3);
  await t.throwsAsync(chain.bucket('photos'), { code: 'chain-unavailable' });
  t.is(metrics.chainSeconds.of('latestBlock').count, 1);
  t.is(metrics.chainSeconds.of('bucket').count, 1);
});
