import type { Acknowledgement } from '../../actors/messages.ts';
import { Terminal } from '../../protocols/errors.ts';
import { Action, type ActionType, type ObjectInfo } from '../../protocols/greenfield/types.ts';
import { authenticate } from '../authentication.ts';
import { type DescribedJob, describeUpload } from '../job-object.ts';
import type { GatewayParts } from '../parts.ts';
import { accountsInService, authorise, checkBucketInService, findObject } from '../permission.ts';
import { bodyOf, clientSignal, type GatewayContext, type Handler } from '../request.ts';
import { Slots } from '../slots.ts';
import { UploadBody, wrongSize } from '../upload-body.ts';

/**
 * `PUT /{object}`: takes the payload of an object that was created on chain. 200 with an empty body once the
 * pipeline has acknowledged it; what that is worth stands in `X-Sealion-Durability`.
 */
export function putObject(parts: GatewayParts): Handler {
  const { objects, limits } = parts;
  const uploads = new Slots(limits.maxUploads, 'uploads');
  return async (c) => {
    const signal = clientSignal(c);
    const { job, object } = await admit(parts, c, signal);
    checkContentLength(c.req.header('Content-Length'), object.payloadSize);
    const release = uploads.take();
    const body = new UploadBody(bodyOf(c), { payloadSize: object.payloadSize, limits, signal });
    try {
      const { durability } = await objects.ask<Acknowledgement>(
        (reply) => ({ type: 'upload', request: { job, object, body, signal }, reply }),
        { signal },
      );
      c.header('X-Sealion-Durability', durability);
      return c.body(null, 200);
    } catch (error) {
      // The fault of the body says more than what the pipeline made of it.
      throw body.failure ?? error;
    } finally {
      c.get('record').bytes = body.received;
      release();
    }
  };
}

/** Everything that is checked before a byte is taken, in the order of greenfield.md §9.4. */
async function admit(parts: GatewayParts, c: GatewayContext, signal: AbortSignal): Promise<DescribedJob> {
  const { chain, spId, limits, offChainKeys } = parts;
  const address = c.get('address');
  const signers = await authenticate(offChainKeys, c);
  const [providers, bucket] = await Promise.all([
    chain.storageProviders({ signal }),
    chain.bucket(address.bucket, { signal }),
  ]);
  const accounts = accountsInService(spId, providers, signers);
  checkBucketInService(bucket);
  const found = await findObject(parts, address, signal, bucket);
  const action = neededPermission(found.onChain.object);
  await authorise(chain, accounts, address, action, signal);
  return describeUpload(chain, spId, found, limits.maxPayloadSize, signal);
}

function neededPermission(object: ObjectInfo): ActionType {
  if (object.status === 'CREATED') return Action.CREATE_OBJECT;
  if (object.status === 'SEALED' && object.isUpdating) return Action.UPDATE_OBJECT_CONTENT;
  throw new Terminal({
    code: 'unexpected-object-status',
    message: `Object "${object.objectName}" is ${object.status}; a payload is taken only while it is CREATED.`,
    ...(object.status === 'SEALED' && { advice: 'To replace its content, update it on chain first.' }),
    gatewayCode: 20003,
  });
}

/** A length that contradicts the chain is refused before anything is stored. */
function checkContentLength(header: string | undefined, payloadSize: number): void {
  if (header !== undefined && Number(header) !== payloadSize) throw wrongSize(header, payloadSize);
}
