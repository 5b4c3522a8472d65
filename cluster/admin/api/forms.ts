import { z } from '@hono/zod-openapi';
import { JOB_STATE_NAMES, type JobStateName } from '#protocols/job/states';

/** Forms of the API that several endpoints share. */

export const jobId = z.string().describe('<object id>.<version>').openapi({ example: '4711.0' });

export const jobState = z.enum(JOB_STATE_NAMES as [JobStateName, ...JobStateName[]]).openapi('JobState');

export const jobKey = z.object({ objectId: z.string(), version: z.number() });

/** As `JobRecord` of runtime/records. */
export const jobRecord = z
  .object({
    job: jobKey,
    state: jobState,
    bucketName: z.string(),
    objectName: z.string(),
    payloadSize: z.number(),
    createdAt: z.number(),
    changedAt: z.number(),
    gvgId: z.number().optional(),
    failure: z.object({ code: z.string(), message: z.string(), nextTryAt: z.number().optional() }).optional(),
    sealTransaction: z.string().optional(),
  })
  .openapi('JobRecord');
