import { Retryable, Terminal } from '#protocols/errors';
import { replay } from '#protocols/job/evolve';
import { formatJobId, type JobId } from '#protocols/job/identity';
import { isTerminal, JOB_STATE_NAMES } from '#protocols/job/states';
import { Cache } from '#runtime/async/cache';
import { TurnLimit } from '#runtime/async/turn-limit';
import type { Directory, OwnerAnswer } from '#runtime/home/home';
import type { Journal } from '#runtime/journal/journal';
import type { Records } from '#runtime/records/records';
import type { Gatherer } from './gather.ts';
import { jobViewOf } from './job.ts';
import type { JobView } from './job-view.ts';
import type { KnownNodes } from './known-nodes.ts';
import type { ProviderView, QueueReport } from './provider-view.ts';
import { searchAll } from './search.ts';

/** Counting all jobs costs a few milliseconds: once a second, however many look. */
const QUEUE_TTL_MS = 1_000;
/** How long the owner of a job is looked for, ms: longer than an owner may take to answer. */
const OWNER_LIMIT_MS = 3_000;
const WAITING = JOB_STATE_NAMES.filter((state) => !isTerminal(state));

export interface ProviderOptions {
  /** For example `sp-1@a`. */
  readonly node: string;
  readonly spId: number;
  readonly gatherer: Gatherer;
  readonly journal: Pick<Journal, 'read'>;
  readonly records: Pick<Records, 'jobs' | 'summary' | 'search'>;
  readonly directory: Pick<Directory, 'find'>;
  readonly known: KnownNodes;
  readonly balances: ProviderView['balances'];
  readonly peers: ProviderView['peers'];
}

/** The view of the SP that this node has. */
export function providerView(options: ProviderOptions): ProviderView {
  const { node, spId, gatherer, records, known, balances, peers } = options;
  const queue = new Cache<string, QueueReport>({
    ttlMs: QUEUE_TTL_MS,
    maxEntries: 1,
    load: () => records.summary(WAITING),
  });
  return {
    node,
    spId,
    nodes: (signal) => gatherer.reports(signal),
    trees: (signal) => gatherer.trees(signal),
    jobs: (query) => records.jobs(query),
    job: (job, signal) => viewOf(job, options, signal),
    peers,
    search: (text, signal) =>
      searchAll(text, { records, nodes: () => known.names(signal), peers: () => peers(signal) }),
    queue: () => queue.get('all'),
    balances,
  };
}

async function viewOf(
  job: JobId,
  { journal, directory, gatherer }: ProviderOptions,
  signal?: AbortSignal,
): Promise<JobView> {
  const [history, owner, { trees }] = await Promise.all([
    journal.read(job, signal && { signal }),
    ownerOf(job, directory, signal),
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

/** What is known without the owner is shown all the same: to look for it takes a minute while NATS is away. */
async function ownerOf(
  job: JobId,
  directory: ProviderOptions['directory'],
  signal?: AbortSignal,
): Promise<OwnerAnswer | undefined> {
  const limit = new TurnLimit(OWNER_LIMIT_MS);
  try {
    return (await Promise.race([directory.find(job, signal && { signal }), limit.over])) ?? undefined;
  } catch (error) {
    if (error instanceof Retryable) return undefined;
    throw error;
  } finally {
    limit.stop();
  }
}
