import { SealionError } from '../../errors.ts';
import { checksum, integrityHash } from '../../integrity/checksums.ts';
import type { JobCommand } from '../commands.ts';
import type { JobContext, JobObject } from '../context.ts';
import { decide } from '../decide.ts';
import { evolve } from '../evolve.ts';
import type { JobStateName } from '../states.ts';

export const SEGMENTS = [checksum(Uint8Array.of(1)), checksum(Uint8Array.of(2))];
export const HASHES = [
  integrityHash(SEGMENTS),
  ...Array.from({ length: 6 }, (_, i) => checksum(Uint8Array.of(i))),
];
export const SPS = [2, 3, 4, 5, 6, 7];
export const HOUR = 3_600_000;

export const OBJECT: JobObject = {
  bucketName: 'bucket',
  objectName: 'a/b c.txt',
  owner: '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A',
  contentType: 'text/plain',
  payloadSize: 20,
  redundancy: 'EC',
  checksums: HASHES,
  maxSegmentSize: 16,
  dataChunks: 4,
  parityChunks: 2,
  familyId: 1,
  primarySpId: 1,
  createdAt: 1_700_000_000,
  isUpdate: false,
};

export const CREATE: Extract<JobCommand, { type: 'Create' }> = {
  type: 'Create',
  at: 1,
  id: { objectId: '4711', version: 0 },
  object: OBJECT,
  deadlineAt: 24 * HOUR,
};
/** A signed one. */
export const TRANSACTION = { bytes: '00', hash: 'AA', sequence: 3 };

export function receipt(index: number, gvgId = 5) {
  return {
    redundancyIndex: index,
    spId: SPS[index] ?? 0,
    gvgId,
    integrityHash: HASHES[index + 1] ?? '',
    approvalSignature: '',
    blsSignature: '',
  };
}

export function allocation(at: number, gvgId = 5): JobCommand {
  const approvals = SPS.map((spId, redundancyIndex) => ({
    spId,
    redundancyIndex,
    expiresAt: 10,
    message: '',
  }));
  return { type: 'CompleteAllocation', at, gvgId, secondarySpIds: SPS, approvals };
}

export function failure(resume: JobStateName) {
  return { code: 'test', message: 'a test', resume, nextTryAt: 9 };
}

/** The way of a job without trouble, command by command. */
export const FORWARD: readonly JobCommand[] = [
  CREATE,
  { type: 'StartUpload', at: 2, deadlineAt: 24 * HOUR },
  { type: 'CompleteUpload', at: 3, segmentChecksums: SEGMENTS, integrityHash: HASHES[0] ?? '' },
  { type: 'StartAllocation', at: 4 },
  allocation(5),
  { type: 'StartReplication', at: 6 },
  ...SPS.map((_, index): JobCommand => ({ type: 'CompleteSecondary', at: 7, receipt: receipt(index) })),
  { type: 'CompleteReplication', at: 8 },
  { type: 'StartSigning', at: 9 },
  { type: 'CompleteSigning', at: 10, transaction: TRANSACTION },
  { type: 'StartSeal', at: 11 },
  { type: 'CompleteSeal', at: 12, gvgId: 5, transactionHash: 'AA' },
];

/** The job after some commands. @throws what `decide` throws */
export function run(commands: readonly JobCommand[], from?: JobContext): JobContext {
  let context = from;
  for (const command of commands)
    for (const event of decide(context, command)) context = evolve(context, event);
  if (!context) throw new Error('no command created the job');
  return context;
}

/** A job that has come as far as this command without trouble. */
export function after(type: JobCommand['type']): JobContext {
  return run(FORWARD.slice(0, FORWARD.findLastIndex((command) => command.type === type) + 1));
}

/** Code of the refusal of one of the commands; undefined when none is refused. */
export function refusal(commands: readonly JobCommand[], from?: JobContext): string | undefined {
  try {
    run(commands, from);
    return undefined;
  } catch (error) {
    return error instanceof SealionError ? error.code : String(error);
  }
}

/** The same update, announced on chain `later` seconds after the job's. */
export function announcedAgain(later: number, over: Partial<JobObject> = {}): JobCommand {
  const object = { ...OBJECT, createdAt: OBJECT.createdAt + later, ...over };
  return { type: 'StartUpload', at: 40, deadlineAt: 48 * HOUR, object };
}

/** What a job knows, without what counts its history. */
export function knows({ revision: _, uploadAttempt: _attempt, createdAt: _at, ...known }: JobContext) {
  return known;
}
