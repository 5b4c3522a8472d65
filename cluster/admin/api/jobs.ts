import { z } from '@hono/zod-openapi';
import { parseJobId } from '#protocols/job/identity';
import type { ProviderView } from '../view/provider-view.ts';
import { treeNode } from '../view/trees.ts';
import { type Api, serveEndpoint } from './endpoint.ts';
import { jobId, jobRecord, jobState } from './forms.ts';

const DEFAULT_LIMIT = 100;

const jobsQuery = z.object({
  state: z
    .string()
    .optional()
    .transform((text) => (text === undefined || text === '' ? undefined : text.split(',')))
    .pipe(z.array(jobState).optional())
    .openapi({ type: 'string', description: 'states, separated by commas; all by default' }),
  limit: z.coerce.number().int().min(1).max(1_000).default(DEFAULT_LIMIT),
  before: z
    .string()
    .regex(/^[0-9]{1,16}-[0-9.]{1,100}$/)
    .optional()
    .openapi({ description: '<createdAt>-<job> of the last one of the page before' }),
});

const signature = z.object({ signature: z.string(), checked: z.boolean() });

const jobView = z
  .object({
    job: jobId,
    why: z.string().describe('why it is not sealed, or how it ended'),
    advice: z.string().optional(),
    context: z.looseObject({ state: jobState }).describe('the state of the job machine'),
    events: z.array(z.looseObject({ type: z.string(), at: z.number() })),
    owner: z.object({ node: z.string(), state: jobState, since: z.number() }).optional(),
    actors: z.array(treeNode),
    columns: z.array(
      z.object({
        redundancyIndex: z.number(),
        spId: z.number(),
        state: z.enum(['waiting', 'moving', 'stored']),
        activity: z.looseObject({ doing: z.string() }).optional(),
        lastError: z.looseObject({ code: z.string() }).optional(),
        bytesPerSecond: z.number().optional().describe('on average, since it began to be sent'),
        completedAt: z.number().optional(),
        receipt: z
          .object({
            integrityHash: z.string(),
            approvalSignature: signature.optional(),
            blsSignature: signature,
          })
          .optional(),
      }),
    ),
    approvals: z.array(
      z.object({
        spId: z.number(),
        redundancyIndex: z.number().optional(),
        gvgId: z.number().optional().describe('the group whose choice a refusal prevents'),
        approved: z.boolean(),
        silent: z.boolean().optional().describe('it has not answered'),
        reason: z.string().optional(),
        expiresAt: z.number().optional(),
        at: z.number().optional(),
      }),
    ),
    seal: z
      .object({ transactionHash: z.string(), signedAt: z.number().optional(), tries: z.number() })
      .optional(),
    nextTryAt: z.number().optional(),
  })
  .openapi('JobView');

/** Jobs: the newest, and all of one. */
export function serveJobs(api: Api, view: ProviderView): void {
  serveEndpoint(api, {
    method: 'get',
    path: '/api/jobs',
    summary: 'The newest jobs, from the SQL DB',
    role: 'view',
    query: jobsQuery,
    answer: z.array(jobRecord),
    handle: ({ query: { state, limit, before } }) =>
      view.jobs({ limit, ...(state && { states: state }), ...(before && { before: placeOf(before) }) }),
  });
  serveEndpoint(api, {
    method: 'get',
    path: '/api/jobs/{job}',
    summary: 'All that is known of a job, and why it is not sealed',
    role: 'view',
    params: z.object({ job: jobId }),
    answer: jobView,
    handle: ({ params }, c) => view.job(parseJobId(params.job), c.req.raw.signal),
  });
}

function placeOf(before: string) {
  const [createdAt = '', job = ''] = before.split('-');
  return { createdAt: Number(createdAt), job: parseJobId(job) };
}
