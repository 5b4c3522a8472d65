import anyTest, { type ExecutionContext } from 'ava';
import type { KeyHolder, OffChainKey, OffChainKeys } from './off-chain-keys.ts';
import type { RecordsUnderTest } from './records.contract.ts';

const ALICE: KeyHolder = {
  account: '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A',
  domain: 'https://app.example.com',
};
const ELSEWHERE: KeyHolder = { ...ALICE, domain: 'https://other.example.com' };
const BOB: KeyHolder = { ...ALICE, account: '0x0000000000000000000000000000000000000001' };

function publicKey(n: number): string {
  return n.toString(16).padStart(64, '0');
}

function key(n: number, over: Partial<OffChainKey> = {}): OffChainKey {
  return { ...ALICE, publicKey: publicKey(n), registeredAt: n, expiresAt: 1_763_819_000_000, ...over };
}

/** The contract suite for the off-chain keys of `Records`. */
export function offChainKeysContract(
  adapter: string,
  setUp: (t: ExecutionContext) => Promise<RecordsUnderTest>,
): void {
  const test = (title: string, run: (t: ExecutionContext, keys: OffChainKeys) => Promise<void>): void => {
    anyTest(`${adapter}, off-chain keys: ${title}`, async (t) => {
      const records = (await setUp(t)).open();
      t.teardown(() => records.close());
      await run(t, records.offChainKeys);
    });
  };
  const namesOf = async (keys: OffChainKeys, holder: KeyHolder): Promise<string[]> =>
    (await keys.list(holder)).map((found) => found.publicKey);

  test('a key is found as registered, for its own account only', async (t, keys) => {
    await keys.register(key(1));
    t.deepEqual(await keys.find(ALICE, publicKey(1)), key(1));
    t.is(await keys.find(ALICE, publicKey(2)), undefined);
    t.is(await keys.find(ELSEWHERE, publicKey(1)), undefined);
    t.is(await keys.find(BOB, publicKey(1)), undefined);
  });

  test('the keys of an account are listed, oldest first', async (t, keys) => {
    for (const n of [2, 3, 1]) await keys.register(key(n));
    await keys.register(key(4, ELSEWHERE));
    t.deepEqual(await keys.list(ALICE), [key(1), key(2), key(3)]);
    t.deepEqual(await keys.list(ELSEWHERE), [key(4, ELSEWHERE)]);
    t.deepEqual(await keys.list(BOB), []);
  });

  test('a key that is registered again gets the new expiry', async (t, keys) => {
    await keys.register(key(1, { expiresAt: 100 }));
    await keys.register(key(1, { expiresAt: 200, registeredAt: 50 }));
    t.deepEqual(await keys.list(ALICE), [key(1, { expiresAt: 200 })]);
  });

  test('only the named keys are removed', async (t, keys) => {
    for (const n of [1, 2, 3]) await keys.register(key(n));
    await keys.register(key(1, ELSEWHERE));
    await keys.remove(ALICE, [publicKey(1), publicKey(3), publicKey(99)]);
    t.deepEqual(await namesOf(keys, ALICE), [publicKey(2)]);
    t.deepEqual(await namesOf(keys, ELSEWHERE), [publicKey(1)]);
    await keys.remove(ALICE, []);
    t.deepEqual(await namesOf(keys, ALICE), [publicKey(2)]);
  });

  test('a registration removes expired keys of all accounts', async (t, keys) => {
    await keys.register(key(1, { ...BOB, expiresAt: 10 }));
    await keys.register(key(2, { expiresAt: 11 }));
    await keys.register(key(3, { registeredAt: 9 }));
    t.is((await keys.list(BOB)).length, 1);
    await keys.register(key(4, { registeredAt: 10 }));
    t.is((await keys.list(BOB)).length, 0);
    t.is((await keys.list(ALICE)).length, 3);
  });

  test('a key above the limit of an account in an application replaces its oldest there', async (t, keys) => {
    await keys.register(key(1, ELSEWHERE));
    for (let n = 1; n <= 65; n++) await keys.register(key(n));
    t.is((await keys.list(ALICE)).length, 64);
    t.is(await keys.find(ALICE, publicKey(1)), undefined);
    t.is((await keys.list(ELSEWHERE)).length, 1);
  });

  test('a key above the limit of an account replaces its oldest in any application', async (t, keys) => {
    await keys.register(key(1, ELSEWHERE));
    await keys.register(key(1, BOB));
    const app = (n: number): KeyHolder => ({ ...ALICE, domain: `https://${n % 8}.example.com` });
    for (let n = 2; n <= 256; n++) await keys.register(key(n, app(n)));
    t.is((await keys.list(ELSEWHERE)).length, 1);
    await keys.register(key(257, app(257)));
    t.is((await keys.list(ELSEWHERE)).length, 0);
    t.is((await keys.list(app(2))).length, 32);
    t.is((await keys.list(BOB)).length, 1);
  });
}
