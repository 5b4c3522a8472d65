import { Cancelled, Terminal, throwIfAborted } from '#protocols/errors';
import { orAborted } from '../async/or-aborted.ts';
import { MessageLease } from './message-lease.ts';
import type { Holding, Roles } from './roles.ts';
import { WorkQueue, type WorkQueueOptions } from './work-queue.ts';

/**
 * What a role's holder is waited for at most after its last renewal, ms: until then nobody signs when a node was killed.
 * Two holders at once do no harm (the chain's sequence fences signers), so that it can be much shorter than for a job.
 */
const LONGEST_ACK_WAIT_MS = 5_000;

const SUBJECTS = 'role.';
const FORM = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/;

/**
 * Opens the SP's roles, and makes the stream `ROLES` where there is none (ARCHITECTURE.md#the-two-nats-planes): one standing message a
 * role, held un-acked by the node that has it and never acked. Its ack_wait is 5 s, or that of the options where it is
 * shorter.
 * @throws Terminal `stream-unfit`, `bad-ack-wait`; Retryable `nats-unavailable`
 */
export async function openRoles(options: WorkQueueOptions): Promise<Roles> {
  const ackWaitMs = Math.min(options.ackWaitMs ?? LONGEST_ACK_WAIT_MS, LONGEST_ACK_WAIT_MS);
  return new NatsRoles(await WorkQueue.open('ROLES', `${SUBJECTS}>`, { ...options, ackWaitMs }));
}

class NatsRoles implements Roles {
  readonly #queue: WorkQueue;

  constructor(queue: WorkQueue) {
    this.#queue = queue;
  }

  async hold(role: string, options: { readonly signal: AbortSignal }): Promise<Holding> {
    checkRole(role);
    const subject = SUBJECTS + role;
    throwIfAborted(options.signal);
    const stand = () => this.#queue.publish(subject);
    await orAborted(stand(), options.signal);
    const message = await this.#queue.pull(role.replaceAll('.', '_'), subject, options.signal, stand);
    if (!message) {
      throw new Cancelled({ code: 'aborted', message: `Stopped waiting for the role ${role}.` });
    }
    const { connection, ackWaitMs, notes, onLost } = this.#queue;
    const held = new MessageLease({ connection, message, ackWaitMs, notes, onLost });
    await held.noted;
    return {
      role,
      signal: held.signal,
      release: () =>
        held.release(new Cancelled({ code: 'role-released', message: `The role ${role} was released.` })),
    };
  }
}

function checkRole(role: string): void {
  if (FORM.test(role)) return;
  throw new Terminal({
    code: 'bad-role',
    message: `"${role}" is not a valid name for a role.`,
    advice: 'Use letters, digits, - and _ in parts joined by dots, for example signer.0x12ab.',
  });
}
