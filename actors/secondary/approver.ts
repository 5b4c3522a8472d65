import { toSealionError } from '#protocols/errors';
import { captureResult } from '#runtime/actors/capture-result';
import type { Behaviour, Context, Outcome, Reply } from '#runtime/actors/types';
import type { ApprovalAnswer, ApprovalAsk } from '#runtime/peers/peers';
import { type ApprovalLimits, ApprovalPolicy } from './approval-policy.ts';
import { Approvals } from './approvals.ts';
import type { SecondaryPorts } from './ports.ts';

export type ApproverMessage =
  /**
   * From now on nothing is approved: the node is about to stop. Asks are left to the other nodes of the SP if there may
   * be any, and refused otherwise.
   */
  | { readonly type: 'drain'; readonly hasOthers: boolean }
  | { readonly type: 'undrain' }
  /** An ask of a primary. The HTTP wire has no asks: there the first piece of a column counts as one. */
  | { readonly type: 'ask'; readonly ask: ApprovalAsk; readonly reply: Reply<ApproverAnswer> };

/** The answer to an ask; undefined when we are in none of its groups. */
export type ApproverAnswer = Omit<ApprovalAnswer, 'message'> | undefined;

type Message =
  | ApproverMessage
  | { readonly type: 'serving-ended'; readonly over: AbortSignal; readonly outcome: Outcome<void> }
  | { readonly type: 'forget-expired' }
  | { readonly type: 'forgotten'; readonly outcome: Outcome<boolean> };

/** How often expired approvals are removed; they count for nothing from their expiry on; ms. */
const FORGET_EVERY_MS = 60_000;

export interface ApproverOptions {
  readonly ports: Pick<SecondaryPorts, 'spId' | 'chain' | 'ledger' | 'host'>;
  readonly limits: ApprovalLimits;
  /** Bytes free for pieces. */
  readonly freeBytes: (signal: AbortSignal) => Promise<number>;
  /** Number of nodes that approve for this SP, this one included; 1 by default. */
  readonly nodes?: () => number;
  /** Whether nothing is approved for an SP at the moment, because an operator said so. */
  readonly isBanned?: (spId: number) => boolean;
}

interface State {
  readonly approvals: Approvals;
  draining: boolean;
  /** Ends the answering of asks. */
  serving: AbortController;
}

/** Answers the asks of primaries for room for a column (GetApproval), one at a time, so that budgets hold. */
export function approver(options: ApproverOptions): Behaviour<ApproverMessage, State> {
  const { ports, limits, nodes = () => 1, isBanned = () => false } = options;
  const policy = new ApprovalPolicy(options);

  const behaviour: Behaviour<Message, State> = {
    kind: 'approver',
    async start(ctx) {
      const approvals = await Approvals.load(ports.ledger, ctx.signal);
      const serving = serve(ctx);
      ctx.after(0, { type: 'forget-expired' });
      return { approvals, draining: false, serving };
    },

    async receive(state, message, ctx) {
      switch (message.type) {
        case 'drain':
          state.draining = true;
          if (message.hasOthers) state.serving.abort();
          ctx.say({ doing: 'approving nothing: this node is draining' });
          break;
        case 'undrain':
          state.draining = false;
          if (state.serving.signal.aborted) state.serving = serve(ctx);
          else ctx.say(ANSWERING);
          break;
        case 'ask':
          await captureResult(message.reply, answer(state, message.ask, ctx.signal));
          break;
        case 'forget-expired':
          // concurrently with the mailbox, so that no ask waits for it
          ctx.pipe(
            () => state.approvals.forgetExpired(Date.now()),
            (outcome) => ({ type: 'forgotten', outcome }),
          );
          break;
        case 'forgotten': {
          const { outcome } = message;
          if (!outcome.ok) ctx.log.warn({ error: outcome.error }, 'failed to remove expired approvals');
          ctx.after(outcome.ok && !outcome.value ? 0 : FORGET_EVERY_MS, { type: 'forget-expired' });
          break;
        }
        case 'serving-ended':
          if (message.over.aborted) break;
          // asks end only with us: anything else restarts the service
          throw toSealionError(
            message.outcome.ok ? new Error('the stream of asks ended') : message.outcome.error,
          );
      }
      return state;
    },
  };
  return behaviour;

  /** Answers until this actor stops, or the controller that it returns is aborted. */
  function serve(ctx: Context<Message>): AbortController {
    const serving = new AbortController();
    ctx.say(ANSWERING);
    ctx.pipe(
      (signal) =>
        ports.host.serveAsks(
          (ask, asked) =>
            ctx.self.ask<ApproverAnswer>((reply) => ({ type: 'ask', ask, reply }), { signal: asked }),
          { signal: AbortSignal.any([signal, serving.signal]) },
        ),
      (outcome) => ({ type: 'serving-ended', over: serving.signal, outcome }),
    );
    return serving;
  }

  function refusalByOperator({ draining }: State, { primarySpId }: ApprovalAsk) {
    if (draining) return DRAINING;
    return isBanned(primarySpId) ? BANNED : undefined;
  }

  async function answer(state: State, ask: ApprovalAsk, signal: AbortSignal): Promise<ApproverAnswer> {
    const listed = ask.groups.filter(({ secondarySpIds }) => secondarySpIds.includes(ports.spId));
    if (listed.length === 0) return undefined;
    const now = Date.now();
    const bytes = await policy.bytes(ask, signal);
    const outstanding = state.approvals.outstanding(ask.job, now, nodes());
    const ofAll = refusalByOperator(state, ask) ?? (await policy.refusalOfAll(bytes, outstanding, signal));
    const groups = ofAll ? [] : await policy.groups(ask, signal);
    const granted = [];
    const refused = [];
    for (const asked of listed) {
      const { gvgId } = asked;
      const refusal = ofAll ?? policy.refusal(ask, asked, groups);
      if (refusal) refused.push({ gvgId, ...refusal });
      else granted.push({ gvgId, redundancyIndex: asked.secondarySpIds.indexOf(ports.spId) });
    }
    const expiresAt = now + limits.lifetimeMs;
    if (granted.length > 0) {
      const { job, primarySpId, standing } = ask;
      const given = { job, primarySpId, granted, bytes, expiresAt };
      await state.approvals.give(standing ? { ...given, standing: true } : given);
    }
    return { spId: ports.spId, expiresAt, granted, refused };
  }
}

const ANSWERING = { doing: 'answering asks', waitsFor: 'primaries' };
const BANNED = { code: 'peer-banned', reason: 'This storage provider stores nothing for you at the moment.' };
const DRAINING = { code: 'draining', reason: 'This storage provider is draining.' };
