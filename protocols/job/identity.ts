import { Terminal } from '../errors.ts';

/** Identity of a job: one upload of one version of an object (ARCHITECTURE.md#identity). */
export interface JobId {
  /** The object's id on chain, decimal, from 1. */
  readonly objectId: string;
  /** 0 for the first content of an object, above it for each later update. */
  readonly version: number;
}

const FORM = /^([1-9][0-9]{0,77})\.(0|[1-9][0-9]{0,8})$/;

/** `4711.0`: the form used in actor names, NATS subjects and journal keys. */
export function formatJobId(id: JobId): string {
  return `${id.objectId}.${id.version}`;
}

/** Reads what `formatJobId` wrote. @throws Terminal `bad-job-id` */
export function parseJobId(text: string): JobId {
  const match = FORM.exec(text);
  if (!match?.[1] || !match[2]) {
    throw new Terminal({
      code: 'bad-job-id',
      message: `"${text}" is not a job id.`,
      advice: 'Write it as <object id>.<version>, for example 4711.0.',
    });
  }
  return { objectId: match[1], version: Number(match[2]) };
}

export function sameJob(a: JobId, b: JobId): boolean {
  return a.objectId === b.objectId && a.version === b.version;
}
