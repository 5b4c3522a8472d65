import { Terminal } from '../errors.ts';
import { checkIntegrity, PRIMARY } from '../integrity/checksums.ts';
import { planPayload } from '../payload/plan.ts';
import { checksumsOf, isDelegated } from './checksums.ts';
import type { CommandOf } from './commands.ts';
import type { JobContext, Receipt } from './context.ts';
import { formatJobId } from './identity.ts';

/**
 * The stored segments are the whole payload, and hash to what was announced.
 * @throws Terminal `segments-missing`, `integrity-hash-wrong`, `checksums-missing`; `integrity-mismatch` as checkIntegrity
 */
export function checkPayload(
  context: JobContext,
  { segmentChecksums, integrityHash, checksums }: CommandOf<'CompleteUpload'>,
): void {
  const { object } = context;
  const count = planPayload(object).segmentCount;
  if (segmentChecksums.length !== count) {
    throw rule(context, 'segments-missing', `${segmentChecksums.length} of ${count} segments are stored`);
  }
  if (checkIntegrity(PRIMARY, segmentChecksums, object.checksums) !== integrityHash) {
    throw rule(context, 'integrity-hash-wrong', 'the integrity hash is not that of the segments');
  }
  if (!isDelegated(context)) return;
  if (checksums?.length !== 1 + secondaryCount(context) || checksums[0] !== integrityHash) {
    throw rule(
      context,
      'checksums-missing',
      'neither the chain nor the upload has the checksums of all columns',
    );
  }
}

/** All members of a group have approved, in the group's order. @throws Terminal `approvals-missing` */
export function checkAllocation(context: JobContext, command: CommandOf<'CompleteAllocation'>): void {
  const places = secondaryCount(context);
  const inOrder = command.approvals.every(
    (approval, index) =>
      approval.redundancyIndex === index && approval.spId === command.secondarySpIds[index],
  );
  if (command.secondarySpIds.length !== places || command.approvals.length !== places || !inOrder) {
    throw rule(context, 'approvals-missing', `all ${places} secondaries must approve, in the group's order`);
  }
}

/** A part holds segments of the payload. @throws Terminal `segments-foreign` */
export function checkSegments(
  context: JobContext,
  { firstSegment, checksums }: CommandOf<'StorePart'>,
): void {
  const { segmentCount } = planPayload(context.object);
  if (firstSegment < 0 || firstSegment + checksums.length > segmentCount) {
    throw rule(context, 'segments-foreign', `its payload has ${segmentCount} segments`);
  }
}

/** A receipt is of the group's member, for the right bytes. @throws Terminal `receipt-foreign`, `receipt-mismatch` */
export function checkReceipt(context: JobContext, receipt: Receipt): void {
  const { allocation } = context;
  const index = receipt.redundancyIndex;
  if (
    !allocation ||
    receipt.gvgId !== allocation.gvgId ||
    receipt.spId !== allocation.secondarySpIds[index]
  ) {
    throw rule(
      context,
      'receipt-foreign',
      `storage provider ${receipt.spId} is not member ${index} of the group`,
    );
  }
  const expected = checksumsOf(context)[index + 1];
  if (expected !== undefined && receipt.integrityHash !== expected) {
    throw rule(
      context,
      'receipt-mismatch',
      `storage provider ${receipt.spId} stored bytes that differ from column ${index}`,
    );
  }
}

/** Every column has its receipt. @throws Terminal `receipts-missing` */
export function checkReceipts(context: JobContext): void {
  const missing = Array.from({ length: secondaryCount(context) }, (_, index) => index).filter(
    (index) => !context.receipts[index],
  );
  if (missing.length > 0) {
    throw rule(context, 'receipts-missing', `columns ${missing.join(', ')} have no receipt`);
  }
}

/** An object is rejected only after its deadline. @throws Terminal `deadline-ahead` */
export function checkDeadline(context: JobContext, at: number): void {
  if (at < context.deadlineAt) {
    const until = new Date(context.deadlineAt).toISOString();
    throw rule(context, 'deadline-ahead', `it is not rejected before its deadline, ${until}`);
  }
}

/** How many secondaries hold a column of this job's object. */
export function secondaryCount(context: Pick<JobContext, 'object'>): number {
  return context.object.dataChunks + context.object.parityChunks;
}

const STARTS = {
  StartAllocation: 'ALLOC_SECONDARY_DOING',
  StartReplication: 'REPLICATE_OBJECT_DOING',
  StartSigning: 'SIGN_OBJECT_DOING',
  StartSeal: 'SEAL_OBJECT_DOING',
} as const;

/** After a failure the next try begins where the failure said, and nowhere else. */
export function requireResume(context: JobContext, command: { readonly type: keyof typeof STARTS }): void {
  const { failure } = context;
  if (!failure) return;
  if (failure.resume !== STARTS[command.type]) {
    throw refuse(context, command, `the next try starts in ${failure.resume}`);
  }
}

/** The error of a command that the state of its job does not allow. */
export function refuse(
  context: JobContext | undefined,
  command: { readonly type: string },
  why: string,
): Terminal {
  const name = context ? `job ${formatJobId(context.id)}` : 'the job';
  return new Terminal({
    code: 'job-transition',
    message: `${command.type} is not allowed for ${name}: ${why}.`,
    advice: 'Read the job again before the next command.',
  });
}

/** The error of a command that breaks a rule. */
function rule(context: JobContext, code: string, why: string): Terminal {
  return new Terminal({ code, message: `Job ${formatJobId(context.id)}: ${why}.` });
}
