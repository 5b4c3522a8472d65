import type { Announced, Announcement } from '#actors/messages';
import { Retryable, Terminal, toSealionError } from '#protocols/errors';
import { awaitedContent } from '#protocols/greenfield/content';
import type { ObjectOnChain } from '#protocols/greenfield/types';
import { Action, type BucketInfo } from '#protocols/greenfield/types';
import type { PayloadShape } from '#protocols/payload/plan';
import { pause } from '#runtime/async/pause';
import { authorise, checkPrimary, noBucket, noObject } from '../access/permission.ts';
import type { GatewayDependencies } from '../dependencies.ts';
import type { GatewayContext } from '../request/context.ts';
import { ONCE_THE_CHAIN_MOVES_ON_MS } from '../request/retry-after.ts';
import { admitSigners } from './admission.ts';
import type { DelegationQuery } from './delegation-query.ts';
import { type AuthorisedJob, describeUpload, jobOf } from './job-object.ts';
import { checkChainLimit } from './lengths.ts';

/** A checked and permitted request for an announcement. Nothing has been changed on chain yet. */
export interface Delegation {
  readonly bucket: BucketInfo;
  readonly announcement: Announcement;
  /** Shape of the payload if it is announced now. */
  readonly shape: PayloadShape;
  /** Present when the object already waits for this payload: the upload was interrupted after its announcement. */
  readonly onChain?: ObjectOnChain;
}

const DEFAULT_CONTENT_TYPE = 'application/octet-stream';
/** How an announcement ends whose node, or that of its signer, has ended, is suspended, or has lost its role. */
const TAKEOVERS: ReadonlySet<string> = new Set([
  'nobody-answers',
  'answerer-silent',
  'role-lost',
  'actor-stopped',
  'actor-stopping',
]);
/** How long an announcement waits for the node that takes over, and the pause before it is made again; ms. */
const TAKEOVER_MS = 30_000;
const AGAIN_MS = 250;

/**
 * Makes all checks of a delegated request that come before the announcement, in the order of a PUT.
 * @param read reads the request; called after the signature has been checked
 * @throws Terminal with the code of the first check that fails: those of `admitSigners` and of `read`, 404/20007,
 * 400/20002, 404/20008 and 400/20003 for an update, 401/50004, 403/50016, 400/50010 when the object exists and does not
 * wait for this payload
 */
export async function admitDelegation(
  dependencies: GatewayDependencies,
  c: GatewayContext,
  read: (c: GatewayContext) => DelegationQuery,
  signal: AbortSignal,
): Promise<Delegation> {
  const { chain } = dependencies;
  const address = c.get('address');
  const { accounts, bucket } = await admitSigners(dependencies, c, signal);
  if (!bucket) throw noBucket(address);
  await checkPrimary(dependencies, bucket, signal);
  const query = read(c);
  const onChain = await chain.object(address.bucket, address.object, { signal });
  if (query.isUpdate && !onChain) throw noObject(address);
  const action = query.isUpdate ? Action.UPDATE_OBJECT_CONTENT : Action.CREATE_OBJECT;
  const account = await authorise(chain, accounts, address, action, signal);
  if (bucket.delegatedAgentDisabled) throw agentDisabled(bucket);
  const params = await chain.storageParams(undefined, { signal });
  checkChainLimit(query.payloadSize, params.maxPayloadSize);
  const announcement = announcementOf(c, query, account);
  const shape: PayloadShape = { ...params, payloadSize: query.payloadSize, redundancy: 'EC' };
  const delegation = { bucket, announcement, shape };
  if (!onChain || (query.isUpdate && mayBeUpdated(onChain))) return delegation;
  checkWaiting(onChain, announcement);
  return { ...delegation, onChain };
}

/**
 * Announces on chain and waits for the block. When another node takes over the announcements or their signatures in the
 * meantime, the client does not notice: the announcement is made again, which finds on chain what was announced.
 * @throws Retryable 406/60003 over the account's quota; as `announcer`
 */
export async function announce(
  { announcer }: GatewayDependencies,
  { announcement }: Delegation,
  signal: AbortSignal,
): Promise<Announced> {
  const giveUpAt = performance.now() + TAKEOVER_MS;
  for (;;) {
    try {
      return await announcer.ask<Announced>((reply) => ({ type: 'announce', announcement, reply }), {
        signal,
      });
    } catch (thrown) {
      const error = toSealionError(thrown);
      if (!TAKEOVERS.has(error.code) || performance.now() > giveUpAt) throw error;
      await pause(AGAIN_MS, signal);
    }
  }
}

/**
 * The job of a delegated upload, whose object is announced first if necessary.
 * @throws as `announce`; Terminal 400/50010 when somebody else has created or updated the object in the meantime
 */
export async function delegatedJob(
  dependencies: GatewayDependencies,
  delegation: Delegation,
  signal: AbortSignal,
): Promise<AuthorisedJob> {
  const { bucket, announcement } = delegation;
  const onChain = delegation.onChain ?? (await announce(dependencies, delegation, signal)).onChain;
  checkWaiting(onChain, announcement);
  const account = announcement.kind === 'create-object' ? announcement.creator : announcement.updater;
  return {
    account,
    ...(await describeUpload(dependencies.chain, dependencies.spId, { bucket, onChain }, signal)),
  };
}

function announcementOf(
  c: GatewayContext,
  { isUpdate, payloadSize, visibility }: DelegationQuery,
  account: string,
): Announcement {
  const { bucket: bucketName, object: objectName } = c.get('address');
  const contentType = c.req.header('Content-Type') || DEFAULT_CONTENT_TYPE;
  const content = { bucketName, objectName, payloadSize, contentType };
  return isUpdate
    ? { kind: 'update-object', updater: account, ...content }
    : { kind: 'create-object', creator: account, visibility, ...content };
}

/** False while an update is pending. @throws 400/20003: Retryable before the first seal, Terminal in other states */
function mayBeUpdated({ object }: ObjectOnChain): boolean {
  if (object.status === 'SEALED') return !object.isUpdating;
  const facts = {
    code: 'unexpected-object-status',
    message: `Object "${object.objectName}" is ${object.status}; only a SEALED object can be updated.`,
    gatewayCode: 20003,
  };
  if (object.status !== 'CREATED') throw new Terminal(facts);
  throw new Retryable({ ...facts, retryAfterMs: ONCE_THE_CHAIN_MOVES_ON_MS });
}

/**
 * Checks that the object waits for exactly this payload.
 * @throws Terminal 400/50010; as `jobOf`
 */
function checkWaiting(onChain: ObjectOnChain, announcement: Announcement): void {
  const { object, update } = onChain;
  const isOfSize = awaitedContent(onChain).payloadSize === announcement.payloadSize;
  if (announcement.kind === 'update-object') {
    jobOf({ onChain });
    if (update?.updater === announcement.updater && isOfSize) return;
    throw otherwise(
      `Object "${object.objectName}" is already being updated by another account or to another size.`,
    );
  }
  if (object.status !== 'CREATED') throw objectExists(object.objectName);
  const isOurs = [object.creator, object.owner].includes(announcement.creator);
  if (isOurs && isOfSize) return;
  throw otherwise(`Object "${object.objectName}" was created by another account or with another size.`);
}

export function objectExists(objectName: string): Terminal {
  return otherwise(`Object "${objectName}" already exists.`);
}

function otherwise(message: string): Terminal {
  return new Terminal({
    code: 'announced-otherwise',
    message,
    advice: 'Choose another name, or cancel the existing object or update on chain.',
    gatewayCode: 50010,
  });
}

function agentDisabled({ bucketName }: BucketInfo): Terminal {
  return new Terminal({
    code: 'agent-disabled',
    message: `The owner of bucket "${bucketName}" does not allow the storage provider to create objects for its users.`,
    advice: 'Create the object on chain yourself, then upload it.',
    gatewayCode: 50004,
  });
}
