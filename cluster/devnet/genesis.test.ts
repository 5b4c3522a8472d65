import test from 'ava';
import { addressOf } from '#protocols/greenfield/address';
import { blsPublicKeyOf } from '#protocols/greenfield/bls';
import { fromHex, toHex } from '#protocols/greenfield/hex';
import { publicKeyOf } from '#protocols/greenfield/signature';
import { buildGenesis } from './genesis.ts';

const endpoint = (id: number) => `http://sp${id}.localhost:9033`;

test('seven SPs: one group per family, the other six in rotated order', (t) => {
  const { chain } = buildGenesis({ endpoint, seed: 'a' });
  t.is(chain.families.length, 7);
  t.deepEqual(chain.gvgs[0]?.secondarySpIds, [2, 3, 4, 5, 6, 7]);
  t.deepEqual(chain.gvgs[2]?.secondarySpIds, [4, 5, 6, 7, 1, 2]);
  t.deepEqual(
    chain.families.map(({ gvgIds }) => gvgIds),
    chain.gvgs.map(({ id }) => [id]),
  );
});

for (const sps of [8, 9, 13, 20]) {
  test(`${sps} SPs: the groups of a family differ in members and never hold their primary`, (t) => {
    const { chain } = buildGenesis({ endpoint, sps, seed: 'a' });
    for (const family of chain.families) {
      const groups = chain.gvgs.filter(({ familyId }) => familyId === family.id);
      t.true(groups.length > 1);
      t.is(new Set(groups.map((g) => [...g.secondarySpIds].sort().join())).size, groups.length);
      for (const group of groups) {
        t.is(new Set([group.primarySpId, ...group.secondarySpIds]).size, 7);
      }
    }
  });
}

test('the keys belong to the addresses on chain, and equal seeds give equal keys', (t) => {
  const { chain, sps } = buildGenesis({ endpoint, seed: 'a' });
  const sp = chain.sps[3];
  const keys = sps[3];
  if (!sp || !keys) return t.fail();
  t.is(sp.sealAddress, addressOf(publicKeyOf(fromHex(keys.seal))));
  t.is(sp.blsKey, toHex(blsPublicKeyOf(fromHex(keys.bls))));
  t.deepEqual(buildGenesis({ endpoint, seed: 'a' }), buildGenesis({ endpoint, seed: 'a' }));
  t.notDeepEqual(buildGenesis({ endpoint }).sps, buildGenesis({ endpoint }).sps);
});

test('too few SPs are refused', (t) => {
  t.throws(() => buildGenesis({ endpoint, sps: 6 }), { message: /6 storage providers/ });
});

test('the genesis survives a round trip through JSON', (t) => {
  const { chain } = buildGenesis({ endpoint, storage: { maxSegmentSize: 1024 } });
  t.deepEqual(JSON.parse(JSON.stringify(chain)), chain);
  t.is(chain.params.storage.maxSegmentSize, 1024);
});
