import { Retryable } from '#protocols/errors';
import type { FeePolicy } from '#protocols/greenfield/fees';
import type { SignedTransaction } from '#protocols/greenfield/transaction';
import { captureResult } from '#runtime/actors/capture-result';
import type { Behaviour, Context, Outcome, Reply } from '#runtime/actors/types';
import type { BroadcastResult, Chain } from '#runtime/chain/chain';
import { type Holding, type Roles, roleLost } from '#runtime/jobs/roles';
import type { AccountKey } from '#runtime/keys/keys';
import { type BroadcastRequest, SealBatches, type SealRequest } from './seal-batches.ts';
import { SigningAccount } from './signing-account.ts';
import type { SigningOrder } from './signing-order.ts';

/** The only access to a key that signs transactions, and to the sequence of its account. */
export type SignerMessage =
  /** Signs with the next free sequence. Nothing is broadcast. */
  | { readonly type: 'sign'; readonly order: SigningOrder; readonly reply: Reply<SignedTransaction> }
  /**
   * Broadcasts a signed transaction, after those with a lower sequence; may be repeated. A refusal by the chain is an
   * answer, not an error; after one for the sequence (code 32), ask for a new signature.
   */
  | {
      readonly type: 'broadcast';
      readonly transaction: SignedTransaction;
      readonly reply: Reply<BroadcastResult>;
    };

/** What one node sends to the node that signs: a message without its reply. Requests and answers are plain JSON. */
export type SignerRequest =
  | { readonly type: 'sign'; readonly order: SigningOrder }
  | { readonly type: 'broadcast'; readonly transaction: SignedTransaction };
export type SignerAnswer = SignedTransaction | BroadcastResult;

/** Calls from any node of the SP to the one that signs (ARCHITECTURE.md#the-two-nats-planes). */
export interface SignerLine {
  /** Answers requests until the signal fires; an error that `answer` throws is returned to the requester. */
  serve(
    answer: (request: SignerRequest, signal: AbortSignal) => Promise<SignerAnswer>,
    options: { readonly signal: AbortSignal },
  ): Promise<void>;
  /** @throws the answering node's error; Retryable when no node signs at the moment, or the answer takes too long */
  call(request: SignerRequest, options: { readonly signal: AbortSignal }): Promise<SignerAnswer>;
}

export interface SignerOptions {
  readonly key: AccountKey;
  readonly chain: Chain;
  readonly roles: Roles;
  readonly line: SignerLine;
  /** How long a signed transaction may stay without a broadcast before its sequence is reused, ms. */
  readonly holdMs?: number;
  readonly fees?: FeePolicy;
  /** Maximum number of objects sealed by one transaction. */
  readonly sealsPerTransaction?: number;
  /** How long a transaction with several seals waits until each of their jobs has asked for its broadcast, ms. */
  readonly batchWaitMs?: number;
}

type Message =
  | SignerMessage
  | { readonly type: 'role'; readonly outcome: Outcome<Holding> }
  | { readonly type: 'role-lost'; readonly outcome: Outcome<void> }
  | { readonly type: 'flush' }
  | { readonly type: 'sign-next' }
  | { readonly type: 'give-up'; readonly transaction: SignedTransaction }
  | { readonly type: 'forwarded' };

interface State {
  /** Absent while another node signs; requests are then forwarded to it. */
  holding?: Holding;
  readonly account: SigningAccount;
  readonly batches: SealBatches;
  readonly batchWaitMs: number;
  /** Broadcasts that wait for one with a lower sequence. */
  parked: readonly BroadcastRequest[];
  stopTimer?: () => void;
  /** When the last transaction of seals was signed; monotonic, ms. */
  sealedAt: number;
  /** True while a `sign-next` is on its way. */
  gathers: boolean;
}

const HOLD_MS = 10_000;
/** Maximum number of broadcasts that wait for one with a lower sequence. */
const PARKED_LIMIT = 1000;
/** Maximum number of seals that wait for their signature. */
const WAITING_LIMIT = 1000;
const SEALS_PER_TRANSACTION = 10;
const BATCH_WAIT_MS = 3_000;
/** Seals that become ready within this time after another are signed together, ms; blocks come every second or so. */
const GATHER_MS = 300;

/**
 * Signs and broadcasts for one key. Only one actor in the whole SP does so: the one that holds the role of the key.
 * Those of other nodes forward their requests to it. Nothing is kept across a restart, since the chain knows the
 * sequence of the account; the sequence also fences a signer that has lost the role without noticing.
 */
export function signer(options: SignerOptions): Behaviour<SignerMessage, State> {
  const role = `signer.${options.key.address}`;

  const behaviour: Behaviour<Message, State> = {
    kind: 'signer',
    start(ctx) {
      ctx.say({ doing: 'forwarding requests to another node', waitsFor: `the role ${role}` });
      ctx.pipe(
        (signal) => options.roles.hold(role, { signal }),
        (outcome) => ({ type: 'role', outcome }),
      );
      const account = new SigningAccount({ holdMs: HOLD_MS, ...options });
      const { sealsPerTransaction = SEALS_PER_TRANSACTION, batchWaitMs = BATCH_WAIT_MS } = options;
      const batches = new SealBatches(account, sealsPerTransaction);
      const sealedAt = Number.NEGATIVE_INFINITY;
      return { account, batches, batchWaitMs, parked: [], sealedAt, gathers: false };
    },

    async receive(state, message, ctx) {
      switch (message.type) {
        case 'role':
          if (!message.outcome.ok) throw message.outcome.error;
          begin(state, message.outcome.value, ctx);
          break;
        case 'role-lost':
          throw message.outcome.ok ? roleLost(role) : message.outcome.error;
        case 'sign': {
          const { order, reply } = message;
          if (!state.holding) handOn({ type: 'sign', order }, reply, ctx);
          else if (order.kind === 'seal') await signSeal(state, { order, reply }, ctx);
          else await captureResult(message.reply, sign(state.holding, state.account, order, ctx.signal));
          break;
        }
        case 'broadcast': {
          const { transaction } = message;
          if (!state.holding) handOn({ type: 'broadcast', transaction }, message.reply, ctx);
          else if (state.parked.length >= PARKED_LIMIT)
            message.reply.reject(
              signerBusy(`${PARKED_LIMIT} broadcasts are already waiting for an earlier one`),
            );
          else await broadcast(state, message, ctx);
          break;
        }
        case 'give-up':
          state.batches.giveUp(message.transaction);
          await signNext(state, ctx);
          break;
        case 'flush':
          await flush(state, state.parked, ctx);
          await signNext(state, ctx);
          break;
        case 'sign-next':
          state.gathers = false;
          await signNext(state, ctx);
          break;
        case 'forwarded':
      }
      return state;
    },

    async stopped(state) {
      await state?.holding?.release();
    },
  };
  return behaviour;

  function begin(state: State, holding: Holding, ctx: Context<Message>): void {
    state.holding = holding;
    ctx.say({ doing: `signing for ${options.key.address}` });
    ctx.pipe(
      (signal) => {
        const held = AbortSignal.any([signal, holding.signal]);
        return options.line.serve((request, asked) => askSelf(ctx, request, asked), { signal: held });
      },
      (outcome) => ({ type: 'role-lost', outcome }),
    );
  }

  function handOn<A extends SignerAnswer>(
    request: SignerRequest,
    reply: Reply<A>,
    ctx: Context<Message>,
  ): void {
    ctx.pipe(
      (signal) => captureResult(reply, options.line.call(request, { signal }) as Promise<A>),
      () => ({ type: 'forwarded' }),
    );
  }
}

function askSelf(ctx: Context<Message>, request: SignerRequest, signal: AbortSignal): Promise<SignerAnswer> {
  return request.type === 'sign'
    ? ctx.self.ask<SignedTransaction>((reply) => ({ ...request, reply }), { signal })
    : ctx.self.ask<BroadcastResult>((reply) => ({ ...request, reply }), { signal });
}

async function sign(
  holding: Holding,
  account: SigningAccount,
  order: SigningOrder,
  signal: AbortSignal,
): Promise<SignedTransaction> {
  if (holding.signal.aborted) throw roleLost(holding.role);
  return account.sign(order, signal);
}

async function signSeal(state: State, request: SealRequest, ctx: Context<Message>): Promise<void> {
  if (state.batches.waiting >= WAITING_LIMIT) {
    request.reply.reject(signerBusy(`${WAITING_LIMIT} seals are already waiting for their signature`));
  } else {
    state.batches.add(request);
  }
  await signNext(state, ctx);
}

/** Signs the next transaction of seals: at once after a pause, else when more of them may have become ready. */
async function signNext(state: State, ctx: Context<Message>): Promise<void> {
  const { holding, batches, batchWaitMs } = state;
  if (!holding || batches.waiting === 0) return;
  if (holding.signal.aborted) throw roleLost(holding.role);
  const waitMs = state.sealedAt + GATHER_MS - performance.now();
  if (waitMs > 0 && !batches.isFull) {
    if (!state.gathers) ctx.after(waitMs, { type: 'sign-next' });
    state.gathers = true;
    return;
  }
  const transaction = await batches.signNext(ctx.signal);
  if (!transaction) return;
  state.sealedAt = performance.now();
  ctx.after(batchWaitMs, { type: 'give-up', transaction });
}

/** Broadcasts a transaction once all jobs that share it have asked for that. */
async function broadcast(state: State, request: BroadcastRequest, ctx: Context<Message>): Promise<void> {
  const ready = state.batches.gather(request);
  if (!ready) return;
  await flush(state, [...state.parked, ready], ctx);
  await signNext(state, ctx);
}

/** Broadcasts parked transactions whose turn has come, lowest sequence first, and schedules the next check. */
async function flush(
  state: State,
  broadcasts: readonly BroadcastRequest[],
  ctx: Context<Message>,
): Promise<void> {
  state.stopTimer?.();
  state.parked = broadcasts.toSorted((a, b) => a.transaction.sequence - b.transaction.sequence);
  for (;;) {
    const ready = state.parked.find(({ transaction }) => state.account.wait(transaction) === 0);
    if (!ready) break;
    state.parked = state.parked.filter((other) => other !== ready);
    await captureResult(ready.reply, state.account.broadcast(ready.transaction, ctx.signal));
  }
  const [first] = state.parked;
  if (first) state.stopTimer = ctx.after(state.account.wait(first.transaction), { type: 'flush' });
}

function signerBusy(why: string): Retryable {
  return new Retryable({
    code: 'signer-busy',
    message: `${why}.`,
    advice: 'Try again later; if this continues, check the chain node.',
  });
}
