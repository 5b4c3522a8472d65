import { z } from '@hono/zod-openapi';

const count = z.number();
const reasons = z.record(z.string(), count).describe('how often, by reason');

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
    approvals: z.object({ given: count, refused: reasons }),
    /** Sent by us. */
    columnsOut: z.object({ done: count, failed: reasons, bytes: count }),
    /** Received from it. */
    columnsIn: z.object({ done: count, failed: reasons, bytes: count }),
    lagMs: count.optional().describe('its last answer took so long'),
    lastError: z.object({ code: z.string(), message: z.string(), at: count }).optional(),
    bannedUntil: count.optional().describe('unix ms'),
  })
  .openapi('PeerReport');
export type PeerReport = z.infer<typeof peerReport>;
