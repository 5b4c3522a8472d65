import { Retryable, Terminal } from '#protocols/errors';
import type { ObjectOnChain } from '#protocols/greenfield/types';
import { Action, type ActionType, type BucketInfo, type StorageProvider } from '#protocols/greenfield/types';
import type { Chain } from '#runtime/chain/chain';
import type { Address } from '../request/address.ts';
import { ONCE_THE_CHAIN_MOVES_ON_MS } from '../request/retry-after.ts';

/** Parameters of the permission checks. */
export interface Examiner {
  readonly chain: Chain;
  /** Our own storage provider. */
  readonly spId: number;
}

/** An object in a bucket whose primary we are. */
export interface FoundObject {
  readonly bucket: BucketInfo;
  readonly onChain: ObjectOnChain;
}

/**
 * Checks that our provider accepts payloads: from all accounts while it is in service, in maintenance only from its
 * maintenance account.
 * @returns the accounts that may still be considered
 * @throws Retryable 403/50029
 */
export function accountsInService(
  spId: number,
  providers: readonly StorageProvider[],
  accounts: readonly string[],
): readonly string[] {
  const self = providers.find(({ id }) => id === spId);
  if (self?.status === 'IN_SERVICE') return accounts;
  const testers = accounts.filter((account) => account === self?.maintenanceAddress);
  if (self?.status === 'IN_MAINTENANCE' && testers.length > 0) return testers;
  throw new Retryable({
    code: 'sp-not-in-service',
    message: `Storage provider ${spId} does not accept uploads: its status is ${self?.status ?? 'unknown to the chain'}.`,
    advice: 'Try again once it is back in service.',
    gatewayCode: 50029,
    retryAfterMs: ONCE_THE_CHAIN_MOVES_ON_MS,
  });
}

/** @throws 403/50036: Terminal for a bucket that is discontinued, Retryable for one that is being migrated */
export function checkBucketInService(bucket: BucketInfo | undefined): void {
  if (!bucket || bucket.status === 'CREATED') return;
  const facts = {
    code: 'bucket-not-in-service',
    message: `Bucket "${bucket.bucketName}" does not accept uploads: its status is ${bucket.status}.`,
    gatewayCode: 50036,
  };
  if (bucket.status !== 'MIGRATING') throw new Terminal(facts);
  throw new Retryable({ ...facts, retryAfterMs: ONCE_THE_CHAIN_MOVES_ON_MS });
}

/**
 * The object in its current state on chain.
 * @param bucket if the caller has already read it
 * @throws Terminal 404/20007 no bucket, 404/20008 no object, 400/20002 another provider is its primary
 */
export async function findObject(
  examiner: Examiner,
  address: Address,
  signal: AbortSignal,
  bucket?: BucketInfo,
): Promise<FoundObject> {
  const { chain } = examiner;
  const [foundBucket, onChain] = await Promise.all([
    bucket ?? chain.bucket(address.bucket, { signal }),
    chain.object(address.bucket, address.object, { signal }),
  ]);
  if (!foundBucket) throw noBucket(address);
  if (!onChain) throw noObject(address);
  await checkPrimary(examiner, foundBucket, signal);
  return { bucket: foundBucket, onChain };
}

/** @throws Terminal 400/20002 when another provider is the bucket's primary */
export async function checkPrimary(
  { chain, spId }: Examiner,
  { bucketName, familyId }: BucketInfo,
  signal: AbortSignal,
): Promise<void> {
  const kept = await chain.family(familyId, { age: 'seconds', signal });
  if (kept?.primarySpId === spId) return;
  const family = await chain.family(familyId, { signal });
  if (family?.primarySpId === spId) return;
  throw new Terminal({
    code: 'not-primary',
    message: `Storage provider ${spId} is not the primary of bucket "${bucketName}".`,
    advice: family
      ? `Send the request to storage provider ${family.primarySpId}.`
      : 'Look up the primary on chain.',
    gatewayCode: 20002,
  });
}

/** True when anybody may read the object, unsigned. */
export function isPublic({ bucket, onChain: { object } }: FoundObject): boolean {
  const { visibility } = object.visibility === 'INHERIT' ? bucket : object;
  return visibility === 'PUBLIC_READ';
}

/**
 * Finds the account that is permitted to act among those that may have signed the request. Any signature recovers to
 * *some* account, so only the chain can tell which one is right.
 * @throws Terminal 401/50004
 */
export async function authorise(
  chain: Chain,
  accounts: readonly string[],
  address: Address,
  action: ActionType,
  signal: AbortSignal,
): Promise<string> {
  // Permission to create an object is granted on its bucket, as the object may not exist yet
  // (protocols/sealing/README.md#what-the-chain-checks).
  const object = action === Action.CREATE_OBJECT ? '' : address.object;
  for (const account of accounts) {
    if (await chain.isAllowed(account, address.bucket, object, action, { age: 'block', signal }))
      return account;
  }
  throw new Terminal({
    code: 'not-permitted',
    message: accounts.length
      ? `The request is signed by ${accounts.join(' or ')}, which does not have permission for it.`
      : 'The object is private and the request is not signed.',
    advice: 'Sign with an account that has permission, for the host that the request is sent to.',
    gatewayCode: 50004,
  });
}

export function noBucket({ bucket }: Address): Terminal {
  return missing('bucket', `"${bucket}"`, 20007);
}

export function noObject({ bucket, object }: Address): Terminal {
  return missing('object', `"${object}" in bucket "${bucket}"`, 20008);
}

function missing(kind: string, what: string, gatewayCode: number): Terminal {
  return new Terminal({
    code: `no-such-${kind}`,
    message: `The ${kind} ${what} does not exist on chain.`,
    advice: `Create the ${kind} on chain first; it can be used here a few blocks later.`,
    gatewayCode,
  });
}
