import type { JobId } from '#protocols/job/identity';
import type { JobProjection, JobRecord, SecondaryRecord } from './records.ts';
import {
  type IntegrityMetaRow,
  type JobContextRow,
  type JobKey,
  type ObjectRow,
  type PieceHashRow,
  PRIMARY,
  type SecondaryRow,
} from './schema.ts';

/** Conversions between jobs and database rows. */

export function keyOf(job: JobId): JobKey {
  return { object_id: job.objectId, version: job.version };
}

export function contextRow({ context }: JobProjection): JobContextRow {
  return {
    ...keyOf(context.id),
    state: context.state,
    created_at: context.createdAt,
    changed_at: context.changedAt,
    deadline_at: context.deadlineAt,
    upload_attempt: context.uploadAttempt,
    gvg_id: context.allocation?.gvgId ?? null,
    failure_code: context.failure?.code ?? null,
    failure_message: context.failure ? storable(context.failure.message) : null,
    failure_advice: context.failure?.advice ?? null,
    next_try_at: context.failure?.nextTryAt ?? null,
    seal_transaction: context.seal?.hash ?? null,
    reject_transaction: context.reject?.hash ?? null,
    discontinued_because: context.discontinuedBecause ?? null,
  };
}

export function objectRow({ context: { id, object } }: JobProjection): ObjectRow {
  return {
    ...keyOf(id),
    bucket_name: object.bucketName,
    object_name: storable(object.objectName),
    owner: object.owner,
    content_type: storable(object.contentType),
    payload_size: object.payloadSize,
    redundancy: object.redundancy,
    family_id: object.familyId,
    primary_sp_id: object.primarySpId,
    created_at: object.createdAt * 1000,
  };
}

/** Replaces NUL characters, which a client's text may contain but PostgreSQL cannot store. */
function storable(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}

export function secondaryRows({ context, completedAt }: JobProjection): SecondaryRow[] {
  const spIds = context.allocation?.secondarySpIds ?? [];
  return spIds.map((spId, index) => {
    const receipt = context.receipts[index];
    return {
      ...keyOf(context.id),
      redundancy_index: index,
      sp_id: spId,
      completed_at: (receipt && completedAt[index]) ?? null,
      integrity_hash: receipt?.integrityHash ?? null,
      approval_signature: receipt?.approvalSignature ?? null,
      bls_signature: receipt?.blsSignature ?? null,
    };
  });
}

/** The primary's row; undefined before the payload is stored. */
export function integrityRow({ context: { id, payload } }: JobProjection): IntegrityMetaRow | undefined {
  return payload && { ...keyOf(id), redundancy_index: PRIMARY, integrity_hash: payload.integrityHash };
}

export function pieceHashRows({ context: { id, payload } }: JobProjection): PieceHashRow[] {
  return (payload?.segmentChecksums ?? []).map((checksum, index) => ({
    ...keyOf(id),
    redundancy_index: PRIMARY,
    segment_index: index,
    checksum,
  }));
}

export function jobRecord(
  row: JobContextRow & Pick<ObjectRow, 'bucket_name' | 'object_name' | 'payload_size'>,
): JobRecord {
  return {
    job: { objectId: row.object_id, version: row.version },
    state: row.state,
    bucketName: row.bucket_name,
    objectName: row.object_name,
    payloadSize: row.payload_size,
    createdAt: row.created_at,
    changedAt: row.changed_at,
    ...(row.gvg_id !== null && { gvgId: row.gvg_id }),
    ...(row.failure_code !== null && {
      failure: {
        code: row.failure_code,
        message: row.failure_message ?? '',
        ...(row.next_try_at !== null && { nextTryAt: row.next_try_at }),
      },
    }),
    ...(row.seal_transaction !== null && { sealTransaction: row.seal_transaction }),
  };
}

export function secondaryRecord(row: SecondaryRow): SecondaryRecord {
  return {
    redundancyIndex: row.redundancy_index,
    spId: row.sp_id,
    ...(row.completed_at !== null && { completedAt: row.completed_at }),
    ...(row.integrity_hash !== null && { integrityHash: row.integrity_hash }),
  };
}
