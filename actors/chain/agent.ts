import { Retryable } from '#protocols/errors';
import { oneShot } from '#runtime/actors/one-shot';
import { settle } from '#runtime/actors/settle';
import type { Activity, Behaviour, Context } from '#runtime/actors/types';
import type { AgentMessage } from '../messages.ts';
import { announce } from './announce.ts';
import type { SettlePorts } from './settle-on-chain.ts';

type Message = AgentMessage | { readonly type: 'ended' };

interface State {
  /** Announcements ever begun: their children's names. */
  readonly begun: number;
  /** Those in work. */
  readonly open: number;
}

/** Announcements in work; their askers may be gone, so no limit of the gateway bounds them. */
const MAX_OPEN = 1_000;

/**
 * Announces objects on chain for clients that upload without a transaction of their own, by the operator key. It keeps
 * nothing: an announcement whose asker is gone still comes into its block, and who asks again finds it there.
 */
export function agent(ports: SettlePorts, maxOpen = MAX_OPEN): Behaviour<AgentMessage, State> {
  const behaviour: Behaviour<Message, State> = {
    kind: 'agent',
    start: (ctx) => told({ begun: 0, open: 0 }, ctx),
    receive({ begun, open }, message, ctx) {
      if (message.type === 'ended') return told({ begun, open: open - 1 }, ctx);
      if (open >= maxOpen) {
        message.reply.reject(agentBusy(maxOpen));
        return { begun, open };
      }
      begin(message, begun, ctx);
      return told({ begun: begun + 1, open: open + 1 }, ctx);
    },
  };
  return behaviour;

  function begin({ announcement, reply }: AgentMessage, begun: number, ctx: Context<Message>): void {
    const { bucketName, objectName } = announcement;
    const work = oneShot('announcement', (child, signal) => {
      const say = (activity: Activity) =>
        child.say({ ...activity, doing: `${bucketName}/${objectName}: ${activity.doing}` });
      say({ doing: 'having its announcement signed', waitsFor: 'the signer' });
      return settle(reply, announce(announcement, ports, { signal, say }));
    });
    ctx.watch(ctx.spawn(`announcement/${begun}`, work), () => ({ type: 'ended' }));
  }
}

function told(state: State, ctx: Context<Message>): State {
  ctx.say(
    state.open > 0
      ? { doing: `announcing objects for clients: ${state.open}`, waitsFor: 'the next block' }
      : { doing: 'announcing objects for clients', waitsFor: 'the next delegated upload' },
  );
  return state;
}

function agentBusy(limit: number): Retryable {
  return new Retryable({
    code: 'agent-busy',
    message: `${limit} objects are being announced on chain already.`,
    advice: 'Try again in a few seconds.',
    gatewayCode: 60003,
  });
}
