import { Terminal } from '#protocols/errors';
import { checksumsOf } from '#protocols/job/checksums';
import type { JobContext } from '#protocols/job/context';
import { aggregateReceipts } from '#protocols/sealing/seal';
import type { SealOrder } from '../../chain/signing-order.ts';

/** The order to sign the seal of a job; all its receipts must be present. @throws Terminal `receipts-incomplete` */
export function sealOrder(context: JobContext): SealOrder {
  const { object, allocation, receipts, failedSeals } = context;
  if (!allocation)
    throw new Terminal({ code: 'group-missing', message: 'The job has no group to seal with.' });
  const { gvgId, secondarySpIds } = allocation;
  return {
    kind: 'seal',
    bucketName: object.bucketName,
    objectName: object.objectName,
    gvgId,
    aggregateSignature: aggregateReceipts({ id: gvgId, secondarySpIds }, receipts),
    checksums: checksumsOf(context),
    ...(failedSeals > 0 && { alone: true }),
  };
}
