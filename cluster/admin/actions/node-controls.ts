import { z } from 'zod';
import type { JobsMessage } from '#actors/primary/jobs';
import type { ObjectsInbox } from '#actors/primary/objects';
import type { ApproverMessage } from '#actors/secondary/approver';
import type { ReceiversMessage } from '#actors/secondary/receivers';
import { Terminal } from '#protocols/errors';
import type { JobContext } from '#protocols/job/context';
import { parseJobId } from '#protocols/job/identity';
import type { Ref } from '#runtime/actors/types';
import type { Ledger } from '#runtime/journal/journal';

/** Actions that a node does itself, and on which it decides alone. */
export const nodeAction = z.object({
  action: z.enum(['reject', 'drain', 'undrain', 'pause-intake', 'resume-intake']),
  target: z.string(),
  by: z.string(),
});
export type NodeAction = z.infer<typeof nodeAction>;

/** The subject of the home plane on which a node answers them. */
export function controlSubject(node: string): string {
  return `operate.${node}`;
}

export interface ControlledActors {
  readonly objects: Ref<ObjectsInbox>;
  readonly receivers: Ref<ReceiversMessage>;
  readonly approver: Ref<ApproverMessage>;
  readonly jobs?: Ref<JobsMessage>;
}

export interface ControlsOptions {
  /** For example `sp-1@a`. */
  readonly node: string;
  readonly ledger: Ledger;
  readonly actors: ControlledActors;
  /** Whether other nodes of the SP take what this one leaves while it drains. */
  readonly hasOthers: boolean;
}

/** How long an object actor may take to answer, ms; it may first have to wait for another owner. */
const ANSWER_MS = 10_000;

/**
 * What operators have told this node. A pause of uploads lasts until it is ended, restarts included; a node drains
 * until it is told to stop draining, or is restarted.
 */
export class NodeControls {
  readonly #options: ControlsOptions;
  #isPaused = false;
  #isDraining = false;

  constructor(options: ControlsOptions) {
    this.#options = options;
  }

  /** Whether new uploads are refused. */
  get isPaused(): boolean {
    return this.#isPaused || this.#isDraining;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Reads what was told before the last restart. */
  async load(): Promise<void> {
    this.#isPaused = (await this.#options.ledger.get(this.#pauseKey)) !== undefined;
  }

  /** @returns what came of it @throws Terminal `job-transition`, as the object actor */
  async perform({ action, target, by }: NodeAction): Promise<string> {
    const { node, ledger } = this.#options;
    switch (action) {
      case 'reject':
        return this.#giveUp(target, by);
      case 'drain':
        this.#drain();
        return `${node} drains: it takes no uploads, jobs, offers and asks; what is in progress continues.`;
      case 'undrain':
        this.#undrain();
        return `${node} works as before.`;
      case 'pause-intake':
        await ledger.put(this.#pauseKey, { by, at: Date.now() });
        this.#isPaused = true;
        return `${node} refuses new uploads until that is ended, restarts included.`;
      case 'resume-intake':
        await ledger.delete(this.#pauseKey);
        this.#isPaused = false;
        return this.#isDraining
          ? `${node} accepts uploads once it drains no more.`
          : `${node} accepts uploads again.`;
    }
  }

  get #pauseKey(): string {
    return `operator/paused/${this.#options.node}`;
  }

  #drain(): void {
    const { actors, hasOthers } = this.#options;
    this.#isDraining = true;
    actors.jobs?.tell({ type: 'drain' });
    actors.objects.tell({ type: 'drain' });
    actors.receivers.tell({ type: 'drain' });
    actors.approver.tell({ type: 'drain', hasOthers });
  }

  #undrain(): void {
    const { actors, node } = this.#options;
    if (!this.#isDraining) {
      throw new Terminal({ code: 'not-draining', message: `${node} is not draining.` });
    }
    this.#isDraining = false;
    const undrain = { type: 'undrain' } as const;
    actors.objects.tell(undrain);
    actors.receivers.tell(undrain);
    actors.approver.tell(undrain);
    actors.jobs?.tell(undrain);
  }

  async #giveUp(target: string, by: string): Promise<string> {
    const job = parseJobId(target);
    const { node, actors } = this.#options;
    await actors.objects.ask<JobContext>((reply) => ({ type: 'give-up', job, by, reply }), {
      timeoutMs: ANSWER_MS,
    });
    return `${node} has given the job up: its object is rejected on chain once no signed seal can be included any more.`;
  }
}
