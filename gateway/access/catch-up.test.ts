import test from 'ava';
import { Cancelled, Retryable, Terminal } from '#protocols/errors';
import type { LatestBlock } from '#runtime/chain/chain';
import { catchUpWith } from './catch-up.ts';

const { signal } = new AbortController();

/** A chain node whose latest blocks have these times, relative to now; ms. */
function node(...inMs: number[]) {
  const times = inMs.map((ms) => Date.now() + ms);
  let asked = 0;
  return {
    get asked() {
      return asked;
    },
    async latestBlock(): Promise<LatestBlock> {
      const time = times[Math.min(asked, times.length - 1)] ?? 0;
      asked += 1;
      return { height: asked, time };
    },
  };
}

function missing(): Terminal {
  return new Terminal({ code: 'no-such-object', message: 'The object does not exist.' });
}

test('a missing item is looked up again once the node has the block of the request', async (t) => {
  const chain = node(-60_000, -60_000, 60_000);
  const looks: number[] = [];
  const found = await catchUpWith(chain)(async () => {
    looks.push(chain.asked);
    if (chain.asked < 3) throw missing();
    return 'found';
  }, signal);
  t.is(found, 'found');
  t.deepEqual(looks, [0, 3]);
});

test('the answer of an up-to-date node counts', async (t) => {
  const chain = node(60_000);
  let looks = 0;
  const refused = catchUpWith(chain)(async () => {
    looks += 1;
    throw missing();
  }, signal);
  await t.throwsAsync(refused, { code: 'no-such-object' });
  t.is(looks, 2);
});

test('the chain is not asked when nothing is missing or no block could help', async (t) => {
  const chain = node(-60_000);
  const catchUp = catchUpWith(chain);
  t.is(await catchUp(async () => 'found', signal), 'found');
  const refused = catchUp(async () => {
    throw new Terminal({ code: 'not-permitted', message: 'No.' });
  }, signal);
  await t.throwsAsync(refused, { code: 'not-permitted' });
  t.is(chain.asked, 0);
});

test('the wait ends when the client goes away', async (t) => {
  const going = new AbortController();
  const chain = node(-60_000);
  const waiting = catchUpWith(chain)(async () => {
    going.abort(new Cancelled({ code: 'client-gone', message: 'Gone.' }));
    throw missing();
  }, going.signal);
  await t.throwsAsync(waiting, { code: 'client-gone' });
});

test('a chain that does not answer is reported as such', async (t) => {
  const chain = {
    latestBlock: async () => {
      throw new Retryable({ code: 'chain-unavailable', message: 'No node answers.' });
    },
  };
  const waiting = catchUpWith(chain)(async () => {
    throw missing();
  }, signal);
  await t.throwsAsync(waiting, { code: 'chain-unavailable' });
});
