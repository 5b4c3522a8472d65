import { Terminal } from '#protocols/errors';
import { checksumAddress } from '#protocols/greenfield/address';
import {
  approveCreation,
  type BucketCreation,
  type CreationApproval,
  type ObjectCreation,
  readBucketCreation,
  readObjectCreation,
  SIGNED_MESSAGE_HEADER,
  UNSIGNED_MESSAGE_HEADER,
} from '#protocols/greenfield/creation-approval';
import { authenticate } from '../access/authentication.ts';
import { accountsInService, checkBucketInService, checkPrimary, noBucket } from '../access/permission.ts';
import type { GatewayDependencies } from '../dependencies.ts';
import { clientSignal, type GatewayContext, type Handler } from '../request/context.ts';
import type { FamilyChoice } from '../upload/family-choice.ts';

/** Number of blocks for which an approval is valid, as with today's providers. */
const APPROVAL_BLOCKS = 100;

/**
 * `GET /greenfield/admin/v1/get-approval?action=`: signs this provider's approval of a bucket or object that a client
 * is about to create on chain (protocols/greenfield/README.md#approvals-of-creations).
 */
export function approve(dependencies: GatewayDependencies, families: FamilyChoice): Handler {
  const { chain, offChainKeys, approvalKey } = dependencies;
  return async (c) => {
    const signal = clientSignal(c);
    const signers = await authenticate(offChainKeys, c);
    const unsigned = c.req.header(UNSIGNED_MESSAGE_HEADER) ?? '';
    const answer = async (message: BucketCreation | ObjectCreation, familyId: number) => {
      const { height } = await chain.latestBlock({ age: 'block', signal });
      const approval: CreationApproval = { familyId, expiredHeight: height + APPROVAL_BLOCKS };
      const signed = await approveCreation(message, approval, (digest) => approvalKey.sign(digest));
      return c.body(null, 200, { [SIGNED_MESSAGE_HEADER]: signed, 'Content-Length': '0' });
    };
    switch (c.get('target').query.get('action')) {
      case 'CreateBucket': {
        const message = readBucketCreation(unsigned);
        await checkNewBucket(dependencies, message, signers, signal);
        return answer(message, await families(signal));
      }
      case 'CreateObject': {
        const message = readObjectCreation(unsigned);
        await checkNewObject(dependencies, message, signal);
        return answer(message, 0);
      }
      default:
        throw unsupported(c);
    }
  };
}

/** @throws Terminal 403/50029, 406/50014, 400/20009 */
async function checkNewBucket(
  { chain, spId }: GatewayDependencies,
  message: BucketCreation,
  signers: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const providers = await chain.storageProviders({ signal });
  accountsInService(spId, providers, signers);
  const ours = providers.find(({ id }) => id === spId)?.operatorAddress;
  if (checksumAddress(message.primary_sp_address) !== ours) {
    throw new Terminal({
      code: 'not-primary',
      message: `The message names ${message.primary_sp_address} as primary storage provider; this one is ${ours}.`,
      advice: 'Send the request to the provider that the message names.',
      gatewayCode: 50014,
    });
  }
  if (await chain.bucket(message.bucket_name, { signal })) {
    throw exists('bucket', `"${message.bucket_name}"`, 20009);
  }
}

/** @throws Terminal 403/50029, 403/50036, 404/20007, 400/20002, 400/20010 */
async function checkNewObject(
  { chain, spId }: GatewayDependencies,
  { creator, bucket_name: bucketName, object_name: objectName }: ObjectCreation,
  signal: AbortSignal,
): Promise<void> {
  accountsInService(spId, await chain.storageProviders({ signal }), [checksumAddress(creator)]);
  const bucket = await chain.bucket(bucketName, { signal });
  if (!bucket) throw noBucket({ bucket: bucketName, object: objectName });
  checkBucketInService(bucket);
  await checkPrimary({ chain, spId }, bucket, signal);
  if (await chain.object(bucketName, objectName, { signal })) {
    throw exists('object', `"${objectName}" in bucket "${bucketName}"`, 20010);
  }
}

function exists(kind: 'bucket' | 'object', what: string, gatewayCode: number): Terminal {
  return new Terminal({
    code: `${kind}-exists`,
    message: `The ${kind} ${what} already exists on chain.`,
    advice: 'Choose another name.',
    gatewayCode,
  });
}

/**
 * Migrations are refused: once a provider has signed for one, the chain allows no uploads to the bucket until that
 * provider has fetched every object, and we cannot fetch them.
 */
function unsupported(c: GatewayContext): Terminal {
  const action = c.get('target').query.get('action');
  return new Terminal({
    code: 'not-served',
    message:
      action === 'MigrateBucket'
        ? 'This storage provider cannot take over a bucket of another one; it stays where it is. Migrate it to another provider.'
        : 'Approvals are given for CreateBucket and CreateObject.',
    gatewayCode: 50008,
  });
}
