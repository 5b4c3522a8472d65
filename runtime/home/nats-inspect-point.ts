import type { NatsConnection } from '@nats-io/nats-core';
import type { TreeNode } from '../actors/types.ts';
import { isNoResponders, natsError } from '../nats/errors.ts';
import type { InspectPoint } from './home.ts';

const READ_LIMIT_MS = 1_000;

/** Trees on `inspect.<node>`; a question to `inspect.*` cannot be sent, so all nodes listen on `inspect` as well. */
export function natsInspectPoint(connection: NatsConnection): InspectPoint {
  return {
    serve(node, tree) {
      const callback = (error: Error | null, message: { respond(data: string): boolean }) => {
        if (!error) message.respond(JSON.stringify(tree()));
      };
      const served = ['inspect', `inspect.${node}`].map((subject) =>
        connection.subscribe(subject, { callback }),
      );
      return {
        async stop() {
          for (const subscription of served) subscription.unsubscribe();
        },
      };
    },

    async read({ timeoutMs = READ_LIMIT_MS, signal } = {}) {
      const trees: TreeNode[] = [];
      try {
        const answers = await connection.requestMany('inspect', '', {
          strategy: 'stall',
          stall: 200,
          maxWait: timeoutMs,
        });
        for await (const answer of answers) {
          if (signal?.aborted) break;
          trees.push(answer.json<TreeNode>());
        }
      } catch (error) {
        if (!isNoResponders(error)) throw natsError(error, 'asking the nodes for their trees');
      }
      return trees.sort((a, b) => (a.name < b.name ? -1 : 1));
    },
  };
}
