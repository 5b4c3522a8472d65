import test from 'ava';
import { Terminal } from '#protocols/errors';
import { fromHex } from '#protocols/greenfield/hex';
import { accountKey, blsKey } from '#runtime/keys/keyring';
import { buildGenesis } from '../devnet/genesis.ts';
import { ownProvider } from './identity.ts';

const { chain, sps } = buildGenesis({ endpoint: (id) => `http://sp${id}.localhost`, seed: 'identity' });

function keysOf(id: number) {
  const keys = sps[id - 1];
  if (!keys) throw new RangeError(`no SP ${id}`);
  return {
    operator: accountKey(fromHex(keys.operator)),
    approval: accountKey(fromHex(keys.approval)),
    seal: accountKey(fromHex(keys.seal)),
    bls: blsKey(fromHex(keys.bls)),
  };
}

test('an SP is found by its id when its keys match those on chain', (t) => {
  t.is(ownProvider(chain.sps, keysOf(3), 3).moniker, 'sp3');
  t.is(ownProvider(chain.sps, keysOf(3), 3, chain.sps[2]?.operatorAddress).moniker, 'sp3');
});

test('an SP unknown to the chain is rejected', (t) => {
  const error = t.throws(() => ownProvider(chain.sps, keysOf(3), 8), { instanceOf: Terminal });
  t.is(error.code, 'unknown-sp');
  t.regex(error.message, /no storage provider 8; it knows 1, 2, 3, 4, 5, 6, 7/);
});

for (const name of ['operator', 'approval', 'seal', 'bls'] as const) {
  test(`a wrong ${name} key is rejected by name`, (t) => {
    const keys = { ...keysOf(3), [name]: keysOf(4)[name] };
    const error = t.throws(() => ownProvider(chain.sps, keys, 3), {
      instanceOf: Terminal,
      code: 'wrong-key',
    });
    t.regex(error.message, new RegExp(`storage provider 3.*: the ${name} key belongs to [^;]*\\.$`));
  });
}

test('a node that has some of the keys is checked by these', (t) => {
  const { operator, approval } = keysOf(3);
  t.is(ownProvider(chain.sps, { operator, approval }, 3).moniker, 'sp3');
  const { approval: wrong } = keysOf(4);
  t.throws(() => ownProvider(chain.sps, { operator, approval: wrong }, 3), { code: 'wrong-key' });
});

test('all mismatches are reported at once', (t) => {
  const configured = chain.sps[0]?.operatorAddress ?? '';
  const error = t.throws(() => ownProvider(chain.sps, keysOf(4), 3, configured), { code: 'wrong-key' });
  t.is(error?.message.split(';').length, 5);
});
