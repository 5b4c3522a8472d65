import { Terminal } from '#protocols/errors';
import type { ObjectInfo } from '#protocols/greenfield/types';
import { OBJECT_STATUS, REDUNDANCY, VISIBILITY } from '#runtime/chain/decode';
import type { GatewayDependencies } from '../dependencies.ts';
import { clientSignal, type Handler } from '../request/context.ts';
import { xmlElements, xmlResponse } from '../request/xml.ts';

/** Placeholder for an unknown transaction or balance. */
const ZERO = `0x${'00'.repeat(32)}`;

/**
 * `GET /{object}?object-meta`: the metadata of an object of any bucket on chain, for everybody, in the form that
 * the SDKs read (protocols/greenfield/README.md#uploads). The chain's queries do not give the transactions that
 * created it: their hashes are zeros.
 */
export function objectMeta({ chain }: GatewayDependencies): Handler {
  return async (c) => {
    const { bucket, object: name } = c.get('address');
    const onChain = await chain.object(bucket, name, { signal: clientSignal(c) });
    if (!onChain) {
      throw new Terminal({
        code: 'no-such-object',
        message: `Object "${name}" in bucket "${bucket}" does not exist on chain.`,
        gatewayCode: 90010,
      });
    }
    const { object } = onChain;
    const rest = xmlElements({
      LockedBalance: ZERO,
      Removed: false,
      UpdateAt: 0,
      DeleteAt: 0,
      DeleteReason: '',
      Operator: object.updatedBy || object.creator,
      CreateTxHash: ZERO,
      UpdateTxHash: ZERO,
      SealTxHash: ZERO,
    });
    return xmlResponse(
      c,
      `<GfSpGetObjectMetaResponse><Object><ObjectInfo>${objectInfo(object)}</ObjectInfo>${rest}</Object></GfSpGetObjectMetaResponse>`,
    );
  };
}

function objectInfo(object: ObjectInfo): string {
  const before = xmlElements({
    Owner: object.owner,
    Creator: object.creator,
    BucketName: object.bucketName,
    ObjectName: object.objectName,
    Id: object.id,
    LocalVirtualGroupId: object.localVirtualGroupId,
    PayloadSize: object.payloadSize,
    Visibility: VISIBILITY.indexOf(object.visibility),
    ContentType: object.contentType,
    CreateAt: object.createdAt,
    ObjectStatus: OBJECT_STATUS.indexOf(object.status),
    RedundancyType: REDUNDANCY.indexOf(object.redundancy),
    SourceType: 0,
  });
  const checksums = object.checksums.map((checksum) => xmlElements({ Checksums: checksum })).join('');
  const after = xmlElements({
    Tags: '',
    IsUpdating: object.isUpdating,
    UpdatedAt: object.updatedAt,
    UpdatedBy: object.updatedBy,
    Version: object.version,
  });
  return before + checksums + after;
}
