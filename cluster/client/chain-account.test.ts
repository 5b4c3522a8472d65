import test from 'ava';
import { Cancelled, type SealionError } from '#protocols/errors';
import { accountKey } from '#runtime/keys/keyring';
import { startChain } from '../devnet/chain/testing.ts';
import { ChainAccount } from './chain-account.ts';

test('two clients that sign with one key do not disturb each other', async (t) => {
  const fixture = await startChain(t);
  const { chain, genesis, key } = fixture;
  const [account] = genesis.accounts;
  const [sp] = genesis.chain.sps;
  if (!account || !sp) return t.fail();
  const both = [1, 2].map(() => new ChainAccount(chain, key(account.privateKey)));
  const ids = await Promise.all(
    both.flatMap((user, i) =>
      ['a', 'b'].map((name) =>
        user.createBucket({
          bucketName: `bucket-${name}${i}`,
          primarySpAddress: sp.operatorAddress,
          familyId: 1,
        }),
      ),
    ),
  );
  t.deepEqual(ids.sort(), ['1', '2', '3', '4']);
});

test('an account unknown to the chain gets an error that says so', async (t) => {
  const { chain } = await startChain(t);
  const nobody = new ChainAccount(chain, accountKey(Buffer.alloc(32, 7)));
  const error = await t.throwsAsync<SealionError>(nobody.cancelCreateObject('bucket', 'object'));
  t.is(error?.code, 'no-such-account');
});

test('a transaction that is not in a block in time can be waited for later', async (t) => {
  const { chain, genesis, key } = await startChain(t);
  const impatient = new ChainAccount(chain, key(genesis.accounts[0]?.privateKey ?? ''), 0);
  const error = await t.throwsAsync<SealionError>(
    impatient.createBucket({
      bucketName: 'bucket',
      primarySpAddress: genesis.chain.sps[0]?.operatorAddress ?? '',
      familyId: 1,
    }),
  );
  t.is(error?.code, 'transaction-not-included');
  t.is(error?.kind, 'retryable');
});

test('the caller’s signal ends the wait, and the next transaction is not affected', async (t) => {
  const { user, genesis } = await startChain(t);
  const bucket = (bucketName: string) => ({
    bucketName,
    primarySpAddress: genesis.chain.sps[0]?.operatorAddress ?? '',
    familyId: 1,
  });
  await t.throwsAsync(user.createBucket(bucket('first'), { signal: AbortSignal.abort() }), {
    instanceOf: Cancelled,
  });
  t.is(await user.createBucket(bucket('second')), '1');
});

test('many objects are registered in few transactions, and their ids come in their order', async (t) => {
  const { user, chain, genesis } = await startChain(t);
  const { operatorAddress = '' } = genesis.chain.sps[0] ?? {};
  await user.createBucket({ bucketName: 'bucket', primarySpAddress: operatorAddress, familyId: 1 });
  const before = await chain.account(user.address);
  const names = Array.from({ length: 170 }, (_, i) => `object-${i}`);
  const checksums = Array.from({ length: 7 }, () => 'ab'.repeat(32));
  const ids = await user.createObjects(
    names.map((objectName) => ({ bucketName: 'bucket', objectName, payloadSize: 65_536, checksums })),
  );
  t.is(ids.length, 170);
  t.is((await chain.objectById(ids[169] ?? ''))?.object.objectName, 'object-169');
  t.is((await chain.objectById(ids[80] ?? ''))?.object.objectName, 'object-80');
  t.is(((await chain.account(user.address))?.sequence ?? 0) - (before?.sequence ?? 0), 3);
});
