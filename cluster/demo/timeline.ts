import type { JobStateName } from '#protocols/job/states';
import type { JobAnnouncement } from '#runtime/home/home';

/** The phases of a job that the demo times, each with its first state and the state that ends it. */
const PHASES: readonly (readonly [name: string, from: JobStateName, to: JobStateName])[] = [
  ['upload', 'UPLOAD_OBJECT_DOING', 'UPLOAD_OBJECT_DONE'],
  ['approvals', 'ALLOC_SECONDARY_DOING', 'ALLOC_SECONDARY_DONE'],
  ['replication', 'REPLICATE_OBJECT_DOING', 'REPLICATE_OBJECT_DONE'],
  ['signing', 'SIGN_OBJECT_DOING', 'SIGN_OBJECT_DONE'],
  ['seal on chain', 'SEAL_OBJECT_DOING', 'SEAL_OBJECT_DONE'],
];

/** The history of one job, as its primary announced it. */
export class Timeline {
  readonly #announcements: JobAnnouncement[] = [];
  readonly #showsNodes: boolean;

  constructor(options: { readonly showsNodes: boolean }) {
    this.#showsNodes = options.showsNodes;
  }

  add(announcement: JobAnnouncement): void {
    this.#announcements.push(announcement);
  }

  has(state: JobStateName): boolean {
    return this.#announcements.some((one) => one.state === state);
  }

  /** The announcement in words, with the time since the job was created. */
  line({ state, secondary, failure, at, node }: JobAnnouncement): string {
    const started = this.#announcements[0]?.at ?? at;
    const after = `${((at - started) / 1_000).toFixed(2).padStart(7)} s`;
    const by = this.#showsNodes ? `  (node ${node})` : '';
    if (secondary) return `${after}  sp ${secondary.spId} holds column ${secondary.redundancyIndex}${by}`;
    return `${after}  ${state}${failure ? `: ${failure.message}` : ''}${by}`;
  }

  /** Time that each phase took, ms; from its last beginning to its end. */
  phases(): readonly { readonly name: string; readonly ms: number }[] {
    return PHASES.flatMap(([name, from, to]) => {
      const end = this.#announcements.findLast((one) => one.state === to && !one.secondary);
      const begin = this.#announcements.findLast((one) => one.state === from && !one.secondary);
      return begin && end ? [{ name, ms: end.at - begin.at }] : [];
    });
  }

  /** Hash of the transaction that sealed the object. */
  get transactionHash(): string | undefined {
    return this.#announcements.findLast((one) => one.transactionHash)?.transactionHash;
  }

  /** The secondaries by the column that each holds. */
  columns(): readonly { readonly redundancyIndex: number; readonly spId: number }[] {
    return this.#announcements
      .flatMap(({ secondary }) => (secondary ? [secondary] : []))
      .sort((a, b) => a.redundancyIndex - b.redundancyIndex);
  }
}
