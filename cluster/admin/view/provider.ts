import { Retryable, Terminal } from '#protocols/errors';
import { replay } from '#protocols/job/evolve';
import { formatJobId, type JobId } from '#protocols/job/identity';
import type { Directory } from '#runtime/home/home';
import type { Journal } from '#runtime/journal/journal';
import type { Records } from '#runtime/records/records';
import type { Gatherer } from './gather.ts';
import { jobViewOf } from './job.ts';
import type { JobView } from './job-view.ts';
import type { ProviderView } from './provider-view.ts';

export interface ProviderOptions {
  /** For example `sp-1@a`. */
  readonly node: string;
  readonly spId: number;
  readonly gatherer: Gatherer;
  readonly journal: Pick<Journal, 'read'>;
  readonly records: Pick<Records, 'jobs'>;
  readonly directory: Pick<Directory, 'find'>;
}

/** The view of the SP that this node has. */
export function providerView(options: ProviderOptions): ProviderView {
  const { node, spId, gatherer, records } = options;
  return {
    node,
    spId,
    nodes: (signal) => gatherer.reports(signal),
    trees: (signal) => gatherer.trees(signal),
    jobs: (query) => records.jobs(query),
    job: (job, signal) => viewOf(job, options, signal),
    peers: async () => [],
    search: async () => [],
    queue: async () => ({ waiting: {} }),
    balances: async () => [],
  };
}

async function viewOf(
  job: JobId,
  { journal, directory, gatherer }: ProviderOptions,
  signal?: AbortSignal,
): Promise<JobView> {
  const [history, owner, { trees }] = await Promise.all([
    journal.read(job, signal && { signal }),
    directory.find(job, signal && { signal }).catch(ignoreSilence),
    gatherer.trees(signal).catch(() => ({ trees: [] })),
  ]);
  const events = history.map(({ event }) => event);
  const context = replay(events);
  if (!context) {
    throw new Terminal({
      code: 'not-found',
      message: `This storage provider does not know the job ${formatJobId(job)}.`,
      advice: 'Ask the primary SP of the object.',
    });
  }
  return jobViewOf({ context, events, trees, ...(owner && { owner }) });
}

/** What is known without the owner is shown all the same. */
function ignoreSilence(error: unknown): undefined {
  if (error instanceof Retryable) return undefined;
  throw error;
}
