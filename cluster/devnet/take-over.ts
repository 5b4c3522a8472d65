import { Terminal } from '#protocols/errors';
import { JobState } from '#protocols/job/states';
import type { JobAnnouncement } from '#runtime/home/home';

/** How a job passed from a killed node to another. */
export interface Passed {
  /** The node that received the payload, or the last part of it. */
  readonly uploader: string;
  readonly killed: string;
  /** When it was killed, as `performance.now()`. */
  readonly killedAt: number;
  readonly successor: string;
  /** From the kill to the first event that the successor wrote, ms. */
  readonly ms: number;
}

export interface TakeOverHooks {
  /** Ends a node at once, as a crash would. */
  readonly kill: (node: string) => Promise<void>;
  readonly onKilled?: (passed: Pick<Passed, 'uploader' | 'killed'>) => void;
  readonly onTakenOver?: (passed: Passed) => void;
}

/**
 * Kills the node that works on an object, once the client has its acknowledgement, and sees which node takes over. It
 * hears announcements, which a node makes after the journal has the event.
 */
export class TakeOver {
  readonly #hooks: TakeOverHooks;
  #uploader: string | undefined;
  #owner: string | undefined;
  #isAcknowledged = false;
  #killed: (Pick<Passed, 'uploader' | 'killed' | 'killedAt'> & { readonly ended: Promise<void> }) | undefined;
  #passed: Passed | undefined;

  constructor(hooks: TakeOverHooks) {
    this.#hooks = hooks;
  }

  /** The client has its acknowledgement. */
  acknowledged(): void {
    this.#isAcknowledged = true;
    this.#strike();
  }

  /** @param announcement about the object */
  hear({ state, node }: JobAnnouncement): void {
    if (this.#killed) {
      this.#hearSuccessor(node);
      return;
    }
    if (JobState[state] < JobState.ALLOC_SECONDARY_DOING) this.#uploader = node;
    else this.#owner = state === 'SEAL_OBJECT_DONE' ? undefined : node;
    this.#strike();
  }

  /** To be called after the seal; the killed process has ended then. @throws Terminal `sealed-too-soon` */
  async end(): Promise<Passed> {
    await this.#killed?.ended;
    if (this.#passed) return this.#passed;
    throw new Terminal({
      code: 'sealed-too-soon',
      message: 'The object was sealed before a node could be killed, so that none had to take over.',
      advice: 'Run it again, with a larger object.',
    });
  }

  #strike(): void {
    const killed = this.#owner;
    if (!this.#isAcknowledged || killed === undefined || this.#killed) return;
    const { kill, onKilled } = this.#hooks;
    const uploader = this.#uploader ?? killed;
    this.#killed = { uploader, killed, killedAt: performance.now(), ended: kill(killed) };
    onKilled?.({ uploader, killed });
  }

  #hearSuccessor(node: string): void {
    if (!this.#killed || this.#passed || node === this.#killed.killed) return;
    const { uploader, killed, killedAt } = this.#killed;
    this.#passed = { uploader, killed, killedAt, successor: node, ms: performance.now() - killedAt };
    this.#hooks.onTakenOver?.(this.#passed);
  }
}
