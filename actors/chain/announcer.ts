import { Retryable } from '#protocols/errors';
import { captureResult } from '#runtime/actors/capture-result';
import { oneShot } from '#runtime/actors/one-shot';
import type { Activity, Behaviour, Context } from '#runtime/actors/types';
import type { AnnouncerMessage } from '../messages.ts';
import { announce } from './announce.ts';
import type { SubmitPorts } from './submit-and-confirm.ts';

type Message = AnnouncerMessage | { readonly type: 'ended' };

interface State {
  /** Number of announcements begun so far; the source of their children's names. */
  readonly begun: number;
  /** Number of announcements in progress. */
  readonly open: number;
}

/**
 * Maximum number of announcements in progress. Their requesters may be gone, so the limits of the gateway do not bound
 * them.
 */
const MAX_OPEN = 1_000;

/**
 * Announces objects on chain for clients that upload without a transaction of their own, using the operator key.
 * Stateless: an announcement whose requester has gone still gets into a block, and a repeated request finds it there.
 */
export function announcer(ports: SubmitPorts, maxOpen = MAX_OPEN): Behaviour<AnnouncerMessage, State> {
  const behaviour: Behaviour<Message, State> = {
    kind: 'announcer',
    start: (ctx) => report({ begun: 0, open: 0 }, ctx),
    receive({ begun, open }, message, ctx) {
      if (message.type === 'ended') return report({ begun, open: open - 1 }, ctx);
      if (open >= maxOpen) {
        message.reply.reject(announcerBusy(maxOpen));
        return { begun, open };
      }
      begin(message, begun, ctx);
      return report({ begun: begun + 1, open: open + 1 }, ctx);
    },
  };
  return behaviour;

  function begin({ announcement, reply }: AnnouncerMessage, begun: number, ctx: Context<Message>): void {
    const { bucketName, objectName } = announcement;
    const work = oneShot('announcement', (child, signal) => {
      const say = (activity: Activity) =>
        child.say({ ...activity, doing: `${bucketName}/${objectName}: ${activity.doing}` });
      say({ doing: 'waiting for the signature of its announcement', waitsFor: 'the signer' });
      return captureResult(reply, announce(announcement, ports, { signal, say }));
    });
    ctx.watch(ctx.spawn(`announcement/${begun}`, work), () => ({ type: 'ended' }));
  }
}

function report(state: State, ctx: Context<Message>): State {
  ctx.say(
    state.open > 0
      ? { doing: `announcing objects for clients: ${state.open}`, waitsFor: 'the next block' }
      : { doing: 'announcing objects for clients', waitsFor: 'the next delegated upload' },
  );
  return state;
}

function announcerBusy(limit: number): Retryable {
  return new Retryable({
    code: 'agent-busy',
    message: `${limit} objects are already being announced on chain.`,
    advice: 'Try again in a few seconds.',
    gatewayCode: 60003,
  });
}
