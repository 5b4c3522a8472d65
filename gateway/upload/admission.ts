import { Terminal } from '#protocols/errors';
import { Action, type ActionType, type BucketInfo, type ObjectInfo } from '#protocols/greenfield/types';
import { authenticate } from '../access/authentication.ts';
import { accountsInService, authorise, checkBucketInService, findObject } from '../access/permission.ts';
import type { GatewayDependencies } from '../dependencies.ts';
import type { GatewayContext } from '../request/context.ts';
import { type AuthorisedJob, describeUpload } from './job-object.ts';

/**
 * Makes all checks that come before the first byte of an upload, in the order of
 * protocols/greenfield/README.md#uploads.
 * @throws Terminal with the code of the first check that fails
 */
export async function admitUpload(
  dependencies: GatewayDependencies,
  c: GatewayContext,
  signal: AbortSignal,
): Promise<AuthorisedJob> {
  const { chain, spId } = dependencies;
  const address = c.get('address');
  const { accounts, bucket } = await admitSigners(dependencies, c, signal);
  const found = await findObject(dependencies, address, signal, bucket);
  const action = neededPermission(found.onChain.object);
  const account = await authorise(chain, accounts, address, action, signal);
  return { account, ...(await describeUpload(chain, spId, found, signal)) };
}

/**
 * Makes the first of these checks, which do not need the object.
 * @returns the accounts that may still be considered, and the bucket if there is one
 * @throws as `authenticate`, `accountsInService` (403/50029) and `checkBucketInService` (403/50036)
 */
export async function admitSigners(
  { chain, spId, offChainKeys }: GatewayDependencies,
  c: GatewayContext,
  signal: AbortSignal,
): Promise<{ readonly accounts: readonly string[]; readonly bucket: BucketInfo | undefined }> {
  const signers = await authenticate(offChainKeys, c);
  const [providers, bucket] = await Promise.all([
    chain.storageProviders({ signal }),
    chain.bucket(c.get('address').bucket, { age: 'block', signal }),
  ]);
  const accounts = accountsInService(spId, providers, signers);
  checkBucketInService(bucket);
  return { accounts, bucket };
}

function neededPermission(object: ObjectInfo): ActionType {
  if (object.status === 'CREATED') return Action.CREATE_OBJECT;
  if (object.status === 'SEALED' && object.isUpdating) return Action.UPDATE_OBJECT_CONTENT;
  throw new Terminal({
    code: 'unexpected-object-status',
    message: `Object "${object.objectName}" is ${object.status}; a payload is accepted only while it is CREATED.`,
    ...(object.status === 'SEALED' && {
      advice: 'To replace its content, announce an update on chain first.',
    }),
    gatewayCode: 20003,
  });
}
