import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import type { SealionError } from '#protocols/errors';
import { blsAggregate, blsSign } from '#protocols/greenfield/bls';
import type { AbciEvent } from '#protocols/greenfield/events';
import { fromHex, toHex } from '#protocols/greenfield/hex';
import type { Message } from '#protocols/greenfield/messages';
import type { Hex, StorageParams } from '#protocols/greenfield/types';
import { sealDigest } from '#protocols/sealing/seal-document';
import type { Chain, ChainLists } from '#runtime/chain/chain';
import { connectChain } from '#runtime/chain/connect';
import { accountKey } from '#runtime/keys/keyring';
import type { AccountKey } from '#runtime/keys/keys';
import { ChainAccount } from '../../client/chain-account.ts';
import { buildGenesis, type DevnetGenesis } from '../genesis.ts';
import type { ChainGenesis, GenesisGvg } from './genesis.ts';
import { startDevnetChain } from './start.ts';

export const BLOCK_TIME_MS = 30;

/** Any seven hashes: the chain does not see the payload. */
export const CHECKSUMS: readonly Hex[] = Array.from({ length: 7 }, (_, i) => `${i}`.repeat(64));

export interface ChainFixture {
  readonly genesis: DevnetGenesis;
  readonly rpc: string;
  readonly chain: Chain & ChainLists;
  readonly directory: string;
  /** A client with BNB. */
  readonly user: ChainAccount;
  readonly stranger: ChainAccount;
  /** An SP's account for a purpose. */
  sp(id: number, purpose: 'operator' | 'seal' | 'gc'): ChainAccount;
  key(privateKey: Hex): AccountKey;
  /** The aggregate of the BLS signatures of these SPs for an object. */
  aggregate(spIds: readonly number[], gvgId: number, objectId: string, checksums?: readonly Hex[]): Hex;
  /** Stops the chain; its state is kept until the test ends. */
  stop(): Promise<void>;
}

export interface FixtureOptions {
  readonly sps?: number;
  readonly storage?: Partial<StorageParams>;
  readonly stakedBytesPerGvg?: number;
  /** Groups in addition to those of `buildGenesis`. */
  readonly moreGvgs?: readonly Omit<GenesisGvg, 'totalDeposit'>[];
  /** Changes the genesis. */
  readonly change?: (genesis: ChainGenesis) => ChainGenesis;
  /** State of an earlier chain of the same genesis. */
  readonly directory?: string;
}

/** Starts a chain stand-in for a test and connects to it as Sealion does; both are closed at the end of the test. */
export async function startChain(t: ExecutionContext, options: FixtureOptions = {}): Promise<ChainFixture> {
  const { change = (unchanged: ChainGenesis) => unchanged } = options;
  const directory = options.directory ?? (await mkdtemp(path.join(tmpdir(), 'sealion-chain-')));
  const genesis = buildGenesis({
    ...options,
    endpoint: (id) => `http://sp${id}.localhost:9033`,
    seed: 'test',
  });
  const node = await startDevnetChain({
    directory,
    genesis: change(withGvgs(genesis.chain, options.moreGvgs ?? [])),
    blockTimeMs: BLOCK_TIME_MS,
  });
  const chain = await connectChain({ rpc: node.rpc, chainId: genesis.chain.chainId });
  t.teardown(async () => {
    chain.close();
    await node.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const key = (privateKey: Hex) => accountKey(fromHex(privateKey));
  const account = (privateKey: Hex | undefined) => new ChainAccount(chain, key(privateKey ?? ''));
  return {
    genesis,
    rpc: node.rpc,
    chain,
    directory,
    user: account(genesis.accounts[0]?.privateKey),
    stranger: account(genesis.accounts[1]?.privateKey),
    sp: (id, purpose) => account(genesis.sps[id - 1]?.[purpose]),
    key,
    aggregate: (spIds, gvgId, objectId, checksums = CHECKSUMS) => {
      const digest = sealDigest({ chainId: chain.chainId, gvgId, objectId, checksums });
      const secrets = spIds.map((id) => fromHex(genesis.sps[id - 1]?.bls ?? ''));
      return toHex(blsAggregate(secrets.map((secret) => blsSign(digest, secret))));
    },
    stop: node.stop,
  };
}

/** Adds groups to their families, with as much stake as the first group has. */
function withGvgs(genesis: ChainGenesis, more: readonly Omit<GenesisGvg, 'totalDeposit'>[]): ChainGenesis {
  const totalDeposit = genesis.gvgs[0]?.totalDeposit ?? '0';
  return {
    ...genesis,
    gvgs: [...genesis.gvgs, ...more.map((gvg) => ({ ...gvg, totalDeposit }))],
    families: genesis.families.map((family) => ({
      ...family,
      gvgIds: [...family.gvgIds, ...more.filter((gvg) => gvg.familyId === family.id).map(({ id }) => id)],
    })),
  };
}

/** A bucket of `user` at an SP, by its family of the same number. */
export async function createBucket(
  { user, genesis }: ChainFixture,
  bucketName: string,
  spId = 1,
): Promise<string> {
  const primarySpAddress = genesis.chain.sps[spId - 1]?.operatorAddress ?? '';
  return user.createBucket({ bucketName, primarySpAddress, familyId: spId });
}

/** Seals an object of SP 1, by default in the first group of its family. */
export async function seal(
  fixture: ChainFixture,
  object: { bucketName: string; objectName: string; checksums?: readonly Hex[]; gvgId?: number },
): Promise<void> {
  const { sp } = fixture;
  await sp(1, 'seal').send(await sealMessage(fixture, object));
}

/** The message that `seal` sends. It always contains the checksums, as Sealion's messages do. */
export async function sealMessage(
  { chain, sp, aggregate }: ChainFixture,
  object: { bucketName: string; objectName: string; checksums?: readonly Hex[]; gvgId?: number },
): Promise<Message> {
  const { bucketName, objectName, checksums = CHECKSUMS, gvgId = 1 } = object;
  const found = await chain.object(bucketName, objectName);
  const gvg = await chain.gvg(gvgId);
  return {
    typeUrl: '/greenfield.storage.MsgSealObjectV2',
    value: {
      operator: sp(1, 'seal').address,
      bucketName,
      objectName,
      globalVirtualGroupId: gvgId,
      secondarySpBlsAggSignatures: aggregate(
        gvg?.secondarySpIds ?? [],
        gvgId,
        found?.object.id ?? '',
        checksums,
      ),
      expectChecksums: checksums,
    },
  };
}

/** SP 1 rejects an object, or its pending update. */
export async function reject({ sp }: ChainFixture, bucketName: string, objectName: string): Promise<void> {
  await sp(1, 'seal').send({
    typeUrl: '/greenfield.storage.MsgRejectSealObject',
    value: { operator: sp(1, 'seal').address, bucketName, objectName },
  });
}

/** Asserts that the chain includes or answers the message with this codespace and number. @returns its text */
export async function refuses(
  t: ExecutionContext,
  account: ChainAccount,
  message: Message,
  expected: string,
): Promise<string> {
  const error = await t.throwsAsync<SealionError>(account.send(message));
  t.is(error?.code, 'transaction-refused');
  const text = error?.message ?? '';
  t.true(text.endsWith(`(${expected}).`), `expected ${expected}: ${text}`);
  return text;
}

/** The events of an included transaction, with plain values. */
export async function eventsOf(rpc: string, hash: string): Promise<readonly Record<string, unknown>[]> {
  const params = { hash: Buffer.from(hash, 'hex').toString('base64'), prove: false };
  const response = await fetch(rpc, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tx', params }),
  });
  const { result } = (await response.json()) as { result: { tx_result: { events: readonly AbciEvent[] } } };
  return result.tx_result.events.map(({ type, attributes }) => ({
    type,
    ...Object.fromEntries(attributes.map(({ key, value }) => [key, JSON.parse(value) as unknown])),
  }));
}
