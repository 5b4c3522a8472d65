import { Terminal } from '../protocols/errors.ts';
import type { JobContext } from '../protocols/job/context.ts';
import { aggregateReceipts } from '../protocols/sealing/seal.ts';
import type { SealOrder } from './signer.ts';

/** The seal of a job whose receipts are all there. @throws Terminal `receipts-incomplete` */
export function sealOrder({ object, allocation, receipts }: JobContext): SealOrder {
  if (!allocation)
    throw new Terminal({ code: 'group-missing', message: 'The job has no group to seal with.' });
  const { gvgId, secondarySpIds } = allocation;
  return {
    kind: 'seal',
    bucketName: object.bucketName,
    objectName: object.objectName,
    gvgId,
    aggregateSignature: aggregateReceipts({ id: gvgId, secondarySpIds }, receipts),
  };
}
