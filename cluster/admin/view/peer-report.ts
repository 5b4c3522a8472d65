import { z } from '@hono/zod-openapi';

const count = z.number();
const reasons = z.record(z.string(), count).describe('how often, by reason');
const exchange = z.object({ done: count, failed: reasons, bytes: count });
/** Of a node that does not count it. */
const none = { done: 0, failed: {}, bytes: 0 };

/** What the nodes of this SP know of another SP, since they were started. */
export const peerReport = z
  .object({
    spId: z.number(),
    operatorAddress: z.string().optional(),
    endpoint: z.string().optional(),
    status: z.string().optional().describe('on chain'),
    wire: z.enum(['nats', 'http']).optional().describe('on which it answered last'),
    answeredAt: count.optional().describe('unix ms of its last answer'),
    /** Asked by us. */
    approvals: z.object({
      given: count,
      refused: reasons,
      silent: count.default(0).describe('asks that it has not answered in time'),
    }),
    columnsOut: exchange.describe('sent by us'),
    columnsIn: exchange.describe('received from it; over HTTP each refused request counts as failed'),
    fetched: exchange.default(none).describe('pieces that we fetched for repairs'),
    served: exchange.default(none).describe('pieces that it fetched for repairs'),
    lagMs: count.optional().describe('its last answer took so long'),
    lastError: z.object({ code: z.string(), message: z.string(), at: count }).optional(),
    bannedUntil: count.optional().describe('unix ms'),
  })
  .openapi('PeerReport');
export type PeerReport = z.infer<typeof peerReport>;
