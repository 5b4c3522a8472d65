import test from 'ava';
import { createGateway } from '#gateway/gateway';
import { DEFAULT_LIMITS } from '#gateway/limits';
import {
  APPROVAL_PATH,
  RECOMMENDED_FAMILY_PATH,
  SIGNED_MESSAGE_HEADER,
  UNSIGNED_MESSAGE_HEADER,
} from '#protocols/greenfield/creation-approval';
import { fromHex, toHex } from '#protocols/greenfield/hex';
import { keccak256 } from '#protocols/greenfield/keccak';
import { signRequest } from '#protocols/greenfield/request-signature';
import { isSignedBy } from '#protocols/greenfield/signature';
import { silentLogger } from '#runtime/telemetry/logger';
import { startChain } from '../devnet/chain/testing.ts';
import { keysOf } from './offers.ts';

const HOST = 'sp1.localhost';

/** Neither request uses it. */
function unneeded<T extends object>(): T {
  return new Proxy({} as T, {
    get: (_, name) => {
      throw new Error(`not expected to be asked: ${String(name)}`);
    },
  });
}

test('a bucket is created on chain with the approval and the family that the provider gave', async (t) => {
  const fixture = await startChain(t);
  const { chain, genesis, user } = fixture;
  const [provider] = genesis.chain.sps;
  if (!provider) return t.fail();
  const app = createGateway({
    chain,
    spId: 1,
    approvalKey: keysOf(fixture, 1).approval,
    pieces: unneeded(),
    offChainKeys: unneeded(),
    objects: unneeded(),
    announcer: unneeded(),
    limits: DEFAULT_LIMITS,
    domains: [HOST],
    corsOrigins: [],
    log: silentLogger,
  });
  const ask = (target: string, more: Readonly<Record<string, string>> = {}) => {
    const expiry = new Date(Date.now() + 60_000).toISOString();
    const headers = { ...more, 'X-Gnfd-Expiry-Timestamp': expiry };
    const signable = { method: 'GET', target, host: HOST, headers: Object.entries(headers) };
    const Authorization = signRequest(signable, fromHex(genesis.accounts[0]?.privateKey ?? ''));
    return app.request(`http://${HOST}${target}`, { headers: { ...headers, Authorization } });
  };

  const recommended = await (await ask(RECOMMENDED_FAMILY_PATH)).text();
  t.is(recommended, '<VirtualGroupFamily><Id>1</Id></VirtualGroupFamily>');

  const unsigned = {
    creator: user.address,
    bucket_name: 'approved',
    visibility: 'VISIBILITY_TYPE_PRIVATE',
    payment_address: '',
    primary_sp_address: provider.operatorAddress,
    primary_sp_approval: { expired_height: '0', global_virtual_group_family_id: 0, sig: null },
    charged_read_quota: '0',
  };
  const { height } = await chain.latestBlock();
  const answer = await ask(`${APPROVAL_PATH}?action=CreateBucket`, {
    [UNSIGNED_MESSAGE_HEADER]: Buffer.from(JSON.stringify(unsigned)).toString('hex'),
  });
  t.is(answer.status, 200, await answer.clone().text());
  const text = Buffer.from(answer.headers.get(SIGNED_MESSAGE_HEADER) ?? '', 'hex').toString();
  const { primary_sp_approval: approval } = JSON.parse(text);
  // What a chain before Serengeti checks, and the chain of today no longer does.
  t.true(Number(approval.expired_height) >= height + 100);
  const sig = Buffer.from(approval.sig, 'base64');
  t.true(isSignedBy(provider.approvalAddress, keccak256(text.replace(approval.sig, '')), sig));

  await user.send({
    typeUrl: '/greenfield.storage.MsgCreateBucket',
    value: {
      creator: user.address,
      bucketName: 'approved',
      visibility: 'PRIVATE',
      paymentAddress: '',
      primarySpAddress: provider.operatorAddress,
      primarySpApproval: {
        expiredHeight: BigInt(approval.expired_height),
        globalVirtualGroupFamilyId: approval.global_virtual_group_family_id,
        sig: toHex(sig),
      },
      chargedReadQuota: 0n,
    },
  });
  t.is((await chain.bucket('approved'))?.familyId, 1);
});
