import { z } from '@hono/zod-openapi';
import { ROLES } from '../../config/roles.ts';

const at = z.number().describe('unix ms');
const count = z.number();

/** Whether a node wants clients: not before all of it serves, and not once it drains. */
export const readiness = z.enum(['starting', 'ready', 'draining']);
export type Readiness = z.infer<typeof readiness>;

/** How busy a node is: see `LoadReport` of runtime/load. */
export const loadReport = z
  .object({
    eventLoop: z.object({ lateMs: z.number(), worstMs: z.number() }),
    requests: count.describe('requests of clients in progress'),
    jobs: z.object({ inWork: count, allowed: count }),
  })
  .openapi('LoadReport');

/** Counted since the start of the node. */
export const totals = z
  .object({
    uploads: count.describe('acknowledged uploads'),
    bytesIn: count.describe('payload received from clients'),
    bytesOut: count.describe('payload sent to clients'),
    seals: count,
    errors: z.record(z.string(), count).describe('by code'),
  })
  .openapi('Totals');
export type Totals = z.infer<typeof totals>;

const minutes = z.array(count).describe('one value for each minute, the last one is the current minute');

/** The last hour, minute by minute. */
export const lastHour = z
  .object({
    since: at.describe('unix ms at which the first minute began'),
    uploads: minutes,
    bytesIn: minutes,
    bytesOut: minutes,
    seals: minutes,
    errors: z.record(z.string(), minutes).describe('by code'),
  })
  .openapi('LastHour');
export type LastHour = z.infer<typeof lastHour>;

/** What one node says of itself. What could not be found out within a second is absent. */
export const nodeReport = z
  .object({
    node: z.string().describe('for example sp-1@a'),
    spId: z.number(),
    version: z.string(),
    roles: z.array(z.enum(ROLES)),
    durability: z.enum(['crash-safe', 'power-safe', 'replicated']),
    since: at.describe('unix ms at which the node was started'),
    readiness,
    paused: z
      .boolean()
      .optional()
      .describe('it refuses new uploads, as an operator said or because it drains'),
    fenced: z.boolean().describe('another node has succeeded this one: it writes nothing any more'),
    leaseLosses: z
      .object({ times: count, jobs: count, roles: count, lastAt: at })
      .optional()
      .describe(
        'leases that it could not renew in time, since its start: it was suspended or cut off from NATS, and the work may have gone to other nodes',
      ),
    load: loadReport,
    disk: z.object({
      freeBytes: count.optional(),
      limitBytes: count.optional().describe('limit of the JetStream account, if it has one'),
      reserveBytes: count.describe('with less, no columns of other SPs are accepted'),
    }),
    chain: z.object({
      height: count.optional(),
      blockAt: at.optional(),
      lagMs: count.optional().describe('how far the newest block lies back'),
      error: z.string().optional(),
    }),
    nats: z.object({
      connected: z.boolean(),
      versions: z.array(z.string()),
      rttMs: count.optional(),
      jetStream: z.boolean().default(true).describe('JetStream answers, on which pieces and queue are kept'),
      peersConnected: z
        .boolean()
        .optional()
        .describe('the server that connects the SPs answers; absent where they are reached over HTTP alone'),
    }),
    records: z.object({
      reachable: z.boolean(),
      behind: count.optional().describe('positions of the journal that are not in the SQL DB yet'),
      error: z.string().optional(),
    }),
    totals,
    lastHour,
  })
  .openapi('NodeReport');
export type NodeReport = z.infer<typeof nodeReport>;

/** The reports of all nodes of the SP. */
export const nodeReports = z
  .object({
    reports: z.array(nodeReport),
    silent: z
      .array(z.string())
      .readonly()
      .describe('nodes that were started, not stopped, and do not answer'),
  })
  .openapi('NodeReports');
export type NodeReports = z.infer<typeof nodeReports>;
