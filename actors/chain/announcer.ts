import { Retryable } from '#protocols/errors';
import { captureResult } from '#runtime/actors/capture-result';
import { oneShot } from '#runtime/actors/one-shot';
import type { Activity, Behaviour, Context, Outcome } from '#runtime/actors/types';
import { orAborted } from '#runtime/async/or-aborted';
import type { Calls } from '#runtime/home/calls';
import { type Holding, type Roles, roleLost } from '#runtime/jobs/roles';
import type { Announced, Announcement, AnnouncerMessage } from '../messages.ts';
import { announce } from './announce.ts';
import { AnnouncementQuota } from './announcement-quota.ts';
import type { SubmitPorts } from './submit-and-confirm.ts';

export interface AnnouncerOptions extends SubmitPorts {
  readonly roles: Roles;
  /** Between the nodes of this SP. */
  readonly calls: Calls;
  /** Announcements in progress; their requesters may be gone, so no limit of the gateway bounds them. */
  readonly maxOpen?: number;
  /** Announcements for one account in an hour, counted by this node. */
  readonly perAccountPerHour?: number;
}

/** One node of the SP announces; the others hand their announcements on to it. */
export const ANNOUNCER_ROLE = 'announcer';

type Message =
  | AnnouncerMessage
  | { readonly type: 'role'; readonly outcome: Outcome<Holding> }
  | { readonly type: 'role-lost'; readonly outcome: Outcome<void> }
  | { readonly type: 'handed-on' }
  | { readonly type: 'ended' };

interface State {
  /** Absent while another node announces. */
  holding?: Holding;
  /** Announcements ever begun: their children's names. */
  begun: number;
  /** Those in progress. */
  open: number;
  /** The end of the last announcement for a name, by that name. */
  readonly turns: Map<string, Promise<void>>;
}

const MAX_OPEN = 1_000;
const PER_ACCOUNT_PER_HOUR = 1_000;
/** Subject of the home plane on which the announcer answers. */
const SUBJECT = 'announcer';
/** An announcement that has to wait for its block may take longer than this; who asks again finds it on chain. */
const ANSWER_MS = 120_000;

/**
 * Announces objects on chain for clients that upload without a transaction of their own, by the operator key. It
 * keeps nothing: an announcement whose requester is gone still comes into its block, and a repeated request finds it
 * there. One node announces for the SP, so that two requests for one object do not both pay a fee, and an account's
 * quota is that of the SP. Another node that takes over the role does not know what has been counted. What is in
 * progress when the role is lost ends with an error, for another try.
 */
export function announcer(options: AnnouncerOptions): Behaviour<AnnouncerMessage, State> {
  const { roles, calls, maxOpen = MAX_OPEN, perAccountPerHour = PER_ACCOUNT_PER_HOUR } = options;
  const quota = new AnnouncementQuota(perAccountPerHour);
  const behaviour: Behaviour<Message, State> = {
    kind: 'announcer',
    start(ctx) {
      ctx.pipe(
        (signal) => roles.hold(ANNOUNCER_ROLE, { signal }),
        (outcome) => ({ type: 'role', outcome }),
      );
      return report({ begun: 0, open: 0, turns: new Map() }, ctx);
    },
    receive(state, message, ctx) {
      switch (message.type) {
        case 'role':
          if (!message.outcome.ok) throw message.outcome.error;
          serve(state, message.outcome.value, ctx);
          break;
        case 'role-lost':
          throw message.outcome.ok ? roleLost(ANNOUNCER_ROLE) : message.outcome.error;
        case 'announce':
          if (!state.holding) handOn(message, ctx);
          else admit(state, message, ctx);
          break;
        case 'ended':
          state.open -= 1;
          break;
        case 'handed-on':
      }
      return report(state, ctx);
    },
    async stopped(state) {
      await state?.holding?.release();
    },
  };
  return behaviour;

  function serve(state: State, holding: Holding, ctx: Context<Message>): void {
    state.holding = holding;
    const answer = (asked: unknown, signal: AbortSignal) =>
      ctx.self.ask<Announced>((reply) => ({ type: 'announce', announcement: asked as Announcement, reply }), {
        signal,
      });
    ctx.pipe(
      (signal) => {
        const held = AbortSignal.any([signal, holding.signal]);
        return calls.serve(SUBJECT, answer, { signal: held, alone: true });
      },
      (outcome) => ({ type: 'role-lost', outcome }),
    );
  }

  function handOn({ announcement, reply }: AnnouncerMessage, ctx: Context<Message>): void {
    ctx.pipe(
      (signal) => {
        const answer = calls.call(SUBJECT, announcement, { timeoutMs: ANSWER_MS, signal });
        return captureResult(reply, answer as Promise<Announced>);
      },
      () => ({ type: 'handed-on' }),
    );
  }

  function admit(state: State, message: AnnouncerMessage, ctx: Context<Message>): void {
    const { announcement, reply } = message;
    try {
      if (state.open >= maxOpen) throw announcerBusy(maxOpen);
      quota.take(announcement.kind === 'update-object' ? announcement.updater : announcement.creator);
    } catch (error) {
      reply.reject(error);
      return;
    }
    begin(state, message, ctx);
  }

  function begin(state: State, { announcement, reply }: AnnouncerMessage, ctx: Context<Message>): void {
    const { bucketName, objectName } = announcement;
    const name = `${bucketName}/${objectName}`;
    const previous = state.turns.get(name);
    const work = oneShot('announcement', (child, signal) => {
      const say = (activity: Activity) => child.say({ ...activity, doing: `${name}: ${activity.doing}` });
      const announced = async () => {
        say({ doing: 'waiting for another announcement of this name', waitsFor: 'its block' });
        if (previous) await orAborted(previous, signal);
        say({ doing: 'waiting for the signature of its announcement', waitsFor: 'the signer' });
        return announce(announcement, options, { signal, say });
      };
      return captureResult(reply, announced());
    });
    const child = ctx.spawn(`announcement/${state.begun}`, work);
    // The chain would charge a fee for the second of two that are sent at once.
    const ended = new Promise<void>((resolve) => {
      ctx.watch(child, () => {
        resolve();
        if (state.turns.get(name) === ended) state.turns.delete(name);
        return { type: 'ended' };
      });
    });
    state.turns.set(name, ended);
    state.begun += 1;
    state.open += 1;
  }
}

function report(state: State, ctx: Context<Message>): State {
  if (!state.holding) {
    ctx.say({ doing: 'forwarding announcements to another node', waitsFor: `the role ${ANNOUNCER_ROLE}` });
  } else if (state.open > 0) {
    ctx.say({ doing: `announcing objects for clients: ${state.open}`, waitsFor: 'the next block' });
  } else {
    ctx.say({ doing: 'announcing objects for clients', waitsFor: 'the next delegated upload' });
  }
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
