import { z } from '@hono/zod-openapi';
import { type Actions, actionRequest, auditEntry } from '../actions/action.ts';
import { type Api, serveEndpoint } from './endpoint.ts';

const DEFAULT_LIMIT = 100;

/** What operators have done. Pages send their forms elsewhere; both end in `Actions`. */
export function serveActions(api: Api, actions: Actions): void {
  serveEndpoint(api, {
    method: 'post',
    path: '/api/actions',
    summary: 'Has something done by whoever owns the matter, and records it',
    role: 'act',
    body: actionRequest,
    answer: z.object({ outcome: z.string() }).openapi('ActionOutcome'),
    async handle({ body }, c) {
      const by = { role: 'act' as const, ...c.get('identity') };
      const address = c.env.incoming.socket.remoteAddress;
      return { outcome: await actions.perform(body, { ...by, ...(address && { address }) }) };
    },
  });
  serveEndpoint(api, {
    method: 'get',
    path: '/api/audit',
    summary: 'What operators have done, the newest first',
    role: 'view',
    query: z.object({ limit: z.coerce.number().int().min(1).max(1_000).default(DEFAULT_LIMIT) }),
    answer: z.array(auditEntry),
    handle: ({ query: { limit } }) => actions.audit(limit),
  });
}
