import { PageRequest } from '@bnb-chain/greenfield-cosmos-types/cosmos/base/query/v1beta1/pagination.js';
import type { QueryHeadObjectResponse } from '@bnb-chain/greenfield-cosmos-types/greenfield/storage/query.js';
import { Long } from '@bnb-chain/greenfield-cosmos-types/helpers.js';
import type {
  GlobalVirtualGroupFamily,
  ObjectOnChain,
  StorageParams,
  StorageProvider,
} from '#protocols/greenfield/types';
import type { Answer } from './answers.ts';
import type { LatestBlock } from './chain.ts';
import * as decode from './decode.ts';
import * as methods from './methods.ts';
import { answerTo, ask, unavailable, withClient } from './query.ts';
import type { Rpc } from './rpc.ts';

/**
 * Maximum number of pages of storage providers or families, 100 entries each: protection against a node that never ends
 * its list.
 */
const MAX_PAGES = 50;
/** How often an object is read again if its update ended between two queries. */
const MAX_READS = 3;

/** The node's latest block, and the id of its chain. */
export async function readStatus(rpc: Rpc): Promise<Answer<LatestBlock & { readonly network: string }>> {
  const { nodeInfo, syncInfo } = await withClient(rpc, undefined, (client) => client.status());
  const { latestBlockHeight: height, latestBlockTime } = syncInfo;
  rpc.known.note(height);
  return { value: { height, time: latestBlockTime.getTime(), network: nodeInfo.network }, height };
}

export function readObject(
  rpc: Rpc,
  bucketName: string,
  objectName: string,
): Promise<Answer<ObjectOnChain | undefined>> {
  const request = { bucketName, objectName };
  return withUpdate(rpc, () => answerTo(rpc, methods.HeadObject, request));
}

export function readObjectById(rpc: Rpc, objectId: string): Promise<Answer<ObjectOnChain | undefined>> {
  return withUpdate(rpc, () => answerTo(rpc, methods.HeadObjectById, { objectId }));
}

/** An object with the content of its announced update. */
async function withUpdate(
  rpc: Rpc,
  head: () => Promise<Answer<QueryHeadObjectResponse | undefined>>,
): Promise<Answer<ObjectOnChain | undefined>> {
  for (let read = 0; read < MAX_READS; read += 1) {
    const { value: answer, height } = await head();
    if (!answer?.objectInfo) return { value: undefined, height };
    const object = decode.toObject(answer.objectInfo);
    const gvg = answer.globalVirtualGroup && decode.toGvg(answer.globalVirtualGroup);
    const found = gvg ? { object, gvg } : { object };
    if (!object.isUpdating) return { value: found, height };
    const { bucketName, objectName } = object;
    const shadow = await ask(rpc, methods.HeadShadowObject, { bucketName, objectName });
    if (!shadow?.objectInfo) continue;
    return { value: { ...found, update: decode.toPendingUpdate(shadow.objectInfo) }, height };
  }
  throw unavailable('an object that is being updated has no pending content');
}

export async function readStorageProviders(rpc: Rpc): Promise<readonly StorageProvider[]> {
  const found: StorageProvider[] = [];
  let key: Uint8Array = new Uint8Array();
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const pagination = PageRequest.fromPartial({ key, limit: Long.fromNumber(100) });
    const answer = await ask(rpc, methods.StorageProviders, { pagination });
    found.push(...(answer?.sps ?? []).map(decode.toStorageProvider));
    key = answer?.pagination?.nextKey ?? new Uint8Array();
    if (key.length === 0) return found;
  }
  throw unavailable('the list of storage providers does not end');
}

export async function readFamilies(rpc: Rpc): Promise<readonly GlobalVirtualGroupFamily[]> {
  const found: GlobalVirtualGroupFamily[] = [];
  let key: Uint8Array = new Uint8Array();
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const pagination = PageRequest.fromPartial({ key, limit: Long.fromNumber(100) });
    const answer = await ask(rpc, methods.Families, { pagination });
    found.push(...(answer?.gvgFamilies ?? []).map(decode.toFamily));
    key = answer?.pagination?.nextKey ?? new Uint8Array();
    if (key.length === 0) return found;
  }
  throw unavailable('the list of families does not end');
}

/** @param at unix seconds; 0 for the current parameters */
export async function readStorageParams(rpc: Rpc, at: number): Promise<StorageParams> {
  const answer = await ask(rpc, methods.ParamsByTimestamp, { timestamp: Long.fromNumber(at) });
  return decode.toStorageParams(decode.required(answer?.params, 'storage parameters'));
}

export async function readMessageGas(rpc: Rpc, typeUrl: string): Promise<number | undefined> {
  const answer = await ask(rpc, methods.MsgGasParams, { msgTypeUrls: [typeUrl] });
  const gas = answer?.msgGasParams.find(({ msgTypeUrl }) => msgTypeUrl === typeUrl)?.fixedType?.fixedGas;
  return gas && Number(gas);
}

export async function readStakingPerByte(rpc: Rpc): Promise<bigint> {
  const answer = await ask(rpc, methods.VirtualGroupParams, {});
  return BigInt(decode.required(answer?.params, 'virtual group parameters').gvgStakingPerBytes);
}
