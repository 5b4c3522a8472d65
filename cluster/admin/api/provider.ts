import { z } from '@hono/zod-openapi';
import { peerReport } from '../view/peer-report.ts';
import type { ProviderView } from '../view/provider-view.ts';
import { type Api, serveEndpoint } from './endpoint.ts';
import { jobKey, jobRecord, jobState } from './forms.ts';

const QUERY_LIMIT = 2_000;

/** What concerns the SP as a whole. */
export function serveProvider(api: Api, view: ProviderView): void {
  serveEndpoint(api, {
    method: 'get',
    path: '/api/peers',
    summary: 'Other storage providers, as the nodes of this one know them',
    role: 'view',
    answer: z.array(peerReport),
    handle: (_, c) => view.peers(c.req.raw.signal),
  });
  serveEndpoint(api, {
    method: 'get',
    path: '/api/queue',
    summary: 'How many jobs stand in each state, and the oldest that has not ended',
    role: 'view',
    answer: z
      .object({
        waiting: z.partialRecord(jobState, z.number()),
        oldest: z.object({ job: jobKey, state: jobState, createdAt: z.number() }).optional(),
      })
      .openapi('QueueReport'),
    handle: () => view.queue(),
  });
  serveEndpoint(api, {
    method: 'get',
    path: '/api/balances',
    summary: 'The balance of each key that pays fees',
    role: 'view',
    answer: z.array(
      z
        .object({ key: z.enum(['operator', 'seal']), address: z.string(), bnb: z.string() })
        .openapi('KeyBalance'),
    ),
    handle: (_, c) => view.balances(c.req.raw.signal),
  });
  serveEndpoint(api, {
    method: 'get',
    path: '/api/search',
    summary: 'Jobs, storage providers and nodes by id, bucket/object, state, SP or error code',
    role: 'view',
    query: z.object({ q: z.string().min(1).max(QUERY_LIMIT) }),
    answer: z.array(
      z
        .object({
          kind: z.enum(['job', 'peer', 'node']),
          path: z.string(),
          title: z.string(),
          job: jobRecord.optional(),
        })
        .openapi('SearchHit'),
    ),
    handle: ({ query: { q } }, c) => view.search(q, c.req.raw.signal),
  });
}
