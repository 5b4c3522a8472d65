import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cancelled, Retryable, type SealionError, Terminal, toSealionError } from '#protocols/errors';
import type { AuditEntry } from '#runtime/records/audit';
import type { ActionName, ActionRequest, Actions, Operator } from './action.ts';

/** How an action stands. */
export interface ActionState {
  readonly id: string;
  readonly action: ActionName;
  readonly target: string;
  /** What came of it, or how far it is: a sentence; empty when that is not known here. */
  readonly outcome: string;
  readonly isEnded: boolean;
}

/** How long whoever orders an action waits for its end before the order is answered, ms; most end sooner. */
const ANSWER_MS = 3_000;
const CLOSE_MS = 2_000;
/** Actions that have ended are remembered here; the others are in the record alone. */
const REMEMBERED = 100;
const RUNNING = 20;
/** Actions of the record in which one is looked for. */
const RECORDED = 1_000;

interface Followed {
  state: ActionState;
  error?: SealionError;
  ended: Promise<void>;
}

/**
 * Actions that may take longer than a request should: each is begun, goes on without the request and the browser, and
 * can be asked for until long after its end. One that ran when the node stopped has no outcome.
 */
export class FollowedActions {
  readonly #actions: Actions;
  readonly #answerMs: number;
  readonly #stopping = new AbortController();
  /** Oldest first. */
  readonly #all = new Map<string, Followed>();

  /** @param answerMs how long `begin` waits for the end */
  constructor(actions: Actions, answerMs = ANSWER_MS) {
    this.#actions = actions;
    this.#answerMs = answerMs;
    // Each action in progress may listen more than once.
    setMaxListeners(0, this.#stopping.signal);
  }

  /**
   * Begins an action, and waits for a moment for its end. A repair that is in progress is joined.
   * @throws as `Actions.perform`, when it ends in time; Retryable `too-many-actions`
   */
  async begin(request: ActionRequest, by: Operator): Promise<ActionState> {
    const followed = this.#same(request) ?? this.#start(request, by);
    const moment = new AbortController();
    await Promise.race([
      followed.ended,
      sleep(this.#answerMs, undefined, { signal: moment.signal }).catch(() => undefined),
    ]);
    moment.abort();
    return stateOf(followed);
  }

  /** @throws Terminal `not-found`, Retryable `records-unavailable`; the error with which the action has failed */
  async state(id: string): Promise<ActionState> {
    const followed = this.#all.get(id);
    if (followed) return stateOf(followed);
    const entry = (await this.#actions.audit(RECORDED)).find((one) => one.id === id);
    if (!entry) throw new Terminal({ code: 'not-found', message: `There is no record of an action ${id}.` });
    return recorded(entry);
  }

  audit(limit: number): Promise<readonly AuditEntry[]> {
    return this.#actions.audit(limit);
  }

  /** Ends what can be ended, so that it is in the record. */
  async close(): Promise<void> {
    this.#stopping.abort(new Cancelled({ code: 'aborted', message: 'The node has stopped.' }));
    const moment = new AbortController();
    await Promise.race([
      Promise.all([...this.#all.values()].map(({ ended }) => ended)),
      sleep(CLOSE_MS, undefined, { signal: moment.signal }).catch(() => undefined),
    ]);
    moment.abort();
  }

  #same({ action, target }: ActionRequest): Followed | undefined {
    if (action !== 'repair') return undefined;
    return [...this.#all.values()].find(
      ({ state }) => !state.isEnded && state.action === action && state.target === target,
    );
  }

  #start(request: ActionRequest, by: Operator): Followed {
    this.#makeRoom();
    const { action, target } = request;
    const id = randomUUID();
    const followed: Followed = {
      state: { id, action, target, outcome: '', isEnded: false },
      ended: Promise.resolve(),
    };
    const following = {
      id,
      signal: this.#stopping.signal,
      onProgress: (outcome: string) => {
        followed.state = { ...followed.state, outcome };
      },
    };
    followed.ended = this.#actions.perform(request, by, following).then(
      (outcome) => {
        followed.state = { ...followed.state, outcome, isEnded: true };
      },
      (thrown: unknown) => {
        followed.error = toSealionError(thrown);
        followed.state = { ...followed.state, isEnded: true };
      },
    );
    this.#all.set(id, followed);
    return followed;
  }

  #makeRoom(): void {
    const entries = [...this.#all];
    const over = entries.filter(([, { state }]) => state.isEnded);
    for (const [id] of over.slice(0, Math.max(0, over.length - REMEMBERED + 1))) this.#all.delete(id);
    if (entries.length - over.length < RUNNING) return;
    throw new Retryable({
      code: 'too-many-actions',
      message: `This node is doing ${RUNNING} actions of operators.`,
      advice: 'Wait until one of them has ended.',
    });
  }
}

function stateOf({ state, error }: Followed): ActionState {
  if (error) throw error;
  return state;
}

/** What the record says, which another node may have written. */
function recorded({ id, action, target, outcome, isDone }: AuditEntry): ActionState {
  const [, code, message] = /^([a-z0-9-]+): (.*)$/s.exec(outcome) ?? [];
  if (!isDone && code !== undefined && message !== undefined) throw new Terminal({ code, message });
  return { id, action: action as ActionName, target, outcome, isEnded: isDone };
}
