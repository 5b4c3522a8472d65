import { Terminal } from '#protocols/errors';
import { recoverPersonalSigner } from '#protocols/greenfield/personal-signature';
import { checkExpiry } from '#protocols/greenfield/request-signature';
import { Action, type BucketInfo } from '#protocols/greenfield/types';
import { parseEndpoint } from '#runtime/http/endpoints';
import { EXPIRY } from '../access/authentication.ts';
import { isPublic } from '../access/permission.ts';
import type { GatewayDependencies } from '../dependencies.ts';
import type { Delivery } from '../download/delivery.ts';
import { clientSignal, type GatewayContext, type Handler } from '../request/context.ts';

/**
 * `GET /view/{bucket}/{object}` and `/download/{bucket}/{object}`: links that work at every provider, since one that
 * is not the primary of the bucket redirects to it. Private objects need a text signed by a wallet in the query.
 */
export function universalEndpoint(
  dependencies: GatewayDependencies,
  deliver: Delivery,
  purpose: 'view' | 'download',
): Handler {
  return async (c) => {
    const signal = clientSignal(c);
    const { bucket: bucketName, object: objectName } = c.get('address');
    const bucket = objectName === '' ? undefined : await dependencies.chain.bucket(bucketName, { signal });
    if (!bucket) throw noSuchObject(bucketName, objectName);
    const elsewhere = await primaryElsewhere(dependencies, bucket, signal);
    if (elsewhere !== undefined) return c.redirect(new URL(c.get('target').line, elsewhere).href, 302);
    const onChain = await dependencies.chain.object(bucketName, objectName, { signal });
    if (onChain?.object.status !== 'SEALED') throw noSuchObject(bucketName, objectName);
    const found = { bucket, onChain };
    if (!isPublic(found)) await checkWalletSignature(dependencies, c, signal);
    return deliver(c, found, signal, purpose === 'view' ? 'inline' : 'attachment');
  };
}

/** The endpoint of the bucket's primary; undefined when we are it. @throws Terminal 400/20002 when it has none */
async function primaryElsewhere(
  { chain, spId }: GatewayDependencies,
  bucket: BucketInfo,
  signal: AbortSignal,
): Promise<string | undefined> {
  const family = await chain.family(bucket.familyId, { signal });
  if (family?.primarySpId === spId) return undefined;
  const providers = await chain.storageProviders({ signal });
  const primary = providers.find(({ id }) => id === family?.primarySpId);
  const endpoint = parseEndpoint(primary?.endpoint ?? '');
  if (endpoint) return endpoint.href;
  throw new Terminal({
    code: 'not-primary',
    message: `This provider is not the primary of bucket "${bucket.bucketName}", and the chain lists no usable endpoint of the primary.`,
    gatewayCode: 20002,
  });
}

/**
 * A private object can be read with `X-Gnfd-Expiry-Timestamp` and `signature`, the personal signature of a text
 * that names both the object and the expiry.
 * @throws Terminal 403/50026, 400/50024 expiry, 406/50015 malformed signature
 */
async function checkWalletSignature(
  { chain }: GatewayDependencies,
  c: GatewayContext,
  signal: AbortSignal,
): Promise<void> {
  const { query } = c.get('target');
  const { bucket, object } = c.get('address');
  const expiry = query.get(EXPIRY);
  const signature = query.get('signature');
  if (!expiry || !signature) throw forbidden(bucket, object);
  checkExpiry(expiry, Date.now(), 50024);
  const account = recoverPersonalSigner(signedText(bucket, object, expiry), signature);
  const allowed = await chain.isAllowed(account, bucket, object, Action.GET_OBJECT, { signal });
  if (!allowed) throw forbidden(bucket, object);
}

function signedText(bucket: string, object: string, expiry: string): string {
  return `Sign this message to access the file:\ngnfd://${bucket}/${object}\nThis signature will not cost you any fees.\nExpiration Time: ${expiry}`;
}

function noSuchObject(bucket: string, object: string): Terminal {
  return new Terminal({
    code: 'no-such-object',
    message: `Bucket "${bucket}" has no sealed object "${object}".`,
    gatewayCode: 50025,
  });
}

function forbidden(bucket: string, object: string): Terminal {
  return new Terminal({
    code: 'not-permitted',
    message: `Object "${object}" in bucket "${bucket}" is private.`,
    advice: 'Add X-Gnfd-Expiry-Timestamp, and a signature by an account with permission, to the query.',
    gatewayCode: 50026,
  });
}
