import { z } from '@hono/zod-openapi';
import type { TreeNode } from '#runtime/actors/types';

const activity = z.object({
  doing: z.string(),
  waitsFor: z.string().optional(),
  since: z.number().describe('unix ms'),
  nextTryAt: z.number().optional().describe('unix ms'),
  progress: z
    .object({
      done: z.number(),
      total: z.number(),
      unit: z.enum(['bytes', 'segments', 'secondaries']),
      from: z.number().optional().describe('what was done already at `since`'),
    })
    .optional(),
});

/** An actor, as `TreeNode` of runtime/actors. */
export const treeNode: z.ZodType<TreeNode> = z
  .object({
    name: z.string(),
    path: z.string(),
    kind: z.string(),
    status: z.enum(['starting', 'running', 'restarting', 'stopping']),
    activity: activity.optional(),
    restarts: z.number(),
    mailbox: z.number(),
    lastError: z.object({ code: z.string(), message: z.string(), at: z.number() }).optional(),
    get children() {
      return z.array(treeNode);
    },
  })
  .openapi('TreeNode') as unknown as z.ZodType<TreeNode>;

/** The supervision trees of all nodes of the SP. */
export const trees = z.object({ trees: z.array(treeNode), silent: z.array(z.string()) }).openapi('Trees');
export interface Trees {
  readonly trees: readonly TreeNode[];
  /** Nodes that were started, not stopped, and do not answer. */
  readonly silent: readonly string[];
}
