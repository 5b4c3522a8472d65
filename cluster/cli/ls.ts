import { Terminal } from '#protocols/errors';
import { listBuckets } from './ls-buckets.ts';
import { listObjects } from './ls-objects.ts';
import { readNetwork } from './network.ts';
import type { Reporter } from './reporter.ts';
import { parseListName, Session } from './session.ts';

export interface LsOptions {
  readonly network: string;
  /** Maximum number of buckets or objects to read from the chain. */
  readonly limit: number;
}

/**
 * `sealion ls [BUCKET[/PREFIX]]`: lists the buckets of the account, newest first, or the objects of a bucket whose
 * names begin with a prefix, sorted by name.
 * @throws Terminal `no-such-bucket`; `list-cut`, after the incomplete list, when the chain has more than the limit
 */
export async function ls(
  name: string | undefined,
  options: LsOptions,
  report: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const place = name === undefined ? undefined : parseListName(name);
  const session = await Session.open(await readNetwork(options.network));
  try {
    const isComplete = place
      ? await listObjects(session, place, options.limit, report, signal)
      : await listBuckets(session, options.limit, report, signal);
    if (!isComplete)
      throw cut(place ? 'objects of the bucket' : 'newest buckets of the chain', options.limit);
  } finally {
    session.close();
  }
}

function cut(what: string, limit: number): Terminal {
  return new Terminal({
    code: 'list-cut',
    message: `Only ${limit} ${what} were read, and there are more.`,
    advice: 'Read more of them with a higher --limit.',
  });
}
