import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { ACTIONS, actionRequest, auditEntry } from '../actions/action.ts';
import type { ActionState, FollowedActions } from '../actions/followed-actions.ts';
import type { AdminEnv } from '../door/env.ts';
import { type Api, serveEndpoint } from './endpoint.ts';

const DEFAULT_LIMIT = 100;

const actionState = z
  .object({
    id: z.string(),
    action: z.enum(ACTIONS),
    target: z.string(),
    outcome: z.string().describe('what came of it, or how far it is'),
    isEnded: z.boolean(),
  })
  .openapi('ActionState');

const actionPath = (id: string) => `/api/actions/${id}`;

/** What operators have done. Pages send their forms elsewhere; both end in `Actions`. */
export function serveActions(api: Api, actions: FollowedActions): void {
  serveEndpoint(api, {
    method: 'post',
    path: '/api/actions',
    summary:
      'Has something done by whoever owns the matter, and records it; what takes long is answered with 202',
    role: 'act',
    body: actionRequest,
    answer: actionState,
    later: 'It is not done yet: Location says where to ask again',
    async handle({ body }, c) {
      const by = { role: 'act' as const, ...c.get('identity') };
      const address = c.env.incoming.socket.remoteAddress;
      return followed(await actions.begin(body, { ...by, ...(address && { address }) }), c);
    },
  });
  serveEndpoint(api, {
    method: 'get',
    path: actionPath('{id}'),
    summary: 'How an action stands',
    role: 'view',
    params: z.object({ id: z.uuid() }),
    answer: actionState,
    later: 'It is not done yet: Location says where to ask again',
    handle: async ({ params: { id } }, c) => followed(await actions.state(id), c),
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

function followed(state: ActionState, c: Context<AdminEnv>): ActionState {
  if (!state.isEnded) {
    c.status(202);
    c.header('Location', actionPath(state.id));
  }
  return state;
}
