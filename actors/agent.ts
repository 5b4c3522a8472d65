import type { Activity, Behaviour } from '../runtime/actors/types.ts';
import { announce } from './announce.ts';
import type { AgentMessage } from './messages.ts';
import { oneShot } from './one-shot.ts';
import { settle } from './settle.ts';
import type { SettlePorts } from './settle-on-chain.ts';

/**
 * Announces objects on chain for clients that upload without a transaction of their own, by the operator key. It keeps
 * nothing: an announcement whose asker is gone still comes into its block, and who asks again finds it there.
 */
export function agent(ports: SettlePorts): Behaviour<AgentMessage, number> {
  return {
    kind: 'agent',
    start: () => 0,
    receive(count, { announcement, reply }, ctx) {
      const { bucketName, objectName } = announcement;
      ctx.spawn(
        `announcement/${count}`,
        oneShot('announcement', (child, signal) => {
          const say = (activity: Activity) =>
            child.say({ ...activity, doing: `${bucketName}/${objectName}: ${activity.doing}` });
          say({ doing: 'having its announcement signed', waitsFor: 'the signer' });
          return settle(reply, announce(announcement, ports, { signal, say }));
        }),
      );
      return count + 1;
    },
  };
}
