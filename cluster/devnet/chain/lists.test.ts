import { QueryClientImpl as Storage } from '@bnb-chain/greenfield-cosmos-types/greenfield/storage/query.js';
import { Long } from '@bnb-chain/greenfield-cosmos-types/helpers.js';
import { createProtobufRpcClient, QueryClient } from '@cosmjs/stargate';
import { Tendermint37Client } from '@cosmjs/tendermint-rpc';
import test from 'ava';
import { createBucketMessage } from '../../client/announcements.ts';
import { startDevnetChain } from './start.ts';
import { Database } from './store.ts';
import { CHECKSUMS, createBucket, startChain } from './testing.ts';

async function all<T>(pages: AsyncIterable<readonly T[]>): Promise<T[]> {
  const found: T[] = [];
  for await (const page of pages) found.push(...page);
  return found;
}

test('the objects of one bucket are listed, page after page', async (t) => {
  const fixture = await startChain(t);
  const { chain, user } = fixture;
  for (const name of ['one', 'one-more']) await createBucket(fixture, name);
  const names = Array.from({ length: 130 }, (_, i) => `folder/object-${i}`);
  const announced = names.map((objectName) => ({ objectName, payloadSize: 1, checksums: CHECKSUMS }));
  await user.createObjects(announced.map((object) => ({ bucketName: 'one', ...object })));
  await user.createObject({
    bucketName: 'one-more',
    objectName: 'other',
    payloadSize: 1,
    checksums: CHECKSUMS,
  });
  await user.cancelCreateObject('one', names[7] ?? '');

  const pages: number[] = [];
  const found: string[] = [];
  for await (const page of chain.objects('one')) {
    pages.push(page.length);
    found.push(...page.map(({ objectName }) => objectName));
  }
  t.deepEqual(pages, [100, 29]);
  t.notDeepEqual(found, [...found].sort(), 'a real node lists in the order of hashes');
  t.deepEqual([...found].sort(), names.filter((name) => name !== names[7]).sort());
  t.deepEqual(await all(chain.objects('nothing')), []);
});

test('all buckets are listed, the newest first', async (t) => {
  const { chain, user, genesis } = await startChain(t);
  const { operatorAddress = '' } = genesis.chain.sps[0] ?? {};
  const names = Array.from({ length: 105 }, (_, i) => `bucket-${i}`);
  const created = names.map((bucketName) =>
    createBucketMessage(user.address, { bucketName, primarySpAddress: operatorAddress, familyId: 1 }),
  );
  await user.sendTogether(created.slice(0, 60));
  await user.sendTogether(created.slice(60));
  await user.deleteBucket('bucket-50');
  const found = await all(chain.buckets());
  t.deepEqual(
    found.map(({ bucketName }) => bucketName),
    names.filter((name) => name !== 'bucket-50').reverse(),
  );
  t.is(found[0]?.owner, user.address);
});

test('a list that a real node refuses is refused', async (t) => {
  const { rpc } = await startChain(t);
  const comet = await Tendermint37Client.connect(rpc);
  t.teardown(() => comet.disconnect());
  const storage = new Storage(createProtobufRpcClient(new QueryClient(comet)));
  const page = {
    key: new Uint8Array(),
    offset: Long.ZERO,
    limit: Long.ZERO,
    countTotal: false,
    reverse: false,
  };
  for (const [pagination, message] of [
    [{ ...page, limit: Long.fromNumber(201) }, /exceed pagination limit 200/],
    [{ ...page, countTotal: true }, /query with offset\/count total is not allowed/],
    [{ ...page, offset: Long.ONE }, /query with offset\/count total is not allowed/],
  ] as const) {
    await t.throwsAsync(storage.ListBuckets({ pagination }), { message });
    await t.throwsAsync(storage.ListObjects({ bucketName: 'bucket', pagination }), { message });
  }
  await t.throwsAsync(storage.ListObjects({ bucketName: '' }), { message: /should not be empty/ });
});

test('the state of another version is not read', async (t) => {
  const { directory, genesis, stop } = await startChain(t);
  await stop();
  const database = await Database.open(directory);
  await database.commit(new Map([['format', 1]]), false);
  await database.close();
  await t.throwsAsync(startDevnetChain({ directory, genesis: genesis.chain }), {
    code: 'devnet-chain-storage',
    message: /another version/,
  });
});
