import { versionOnChain } from '#protocols/greenfield/content';
import type { ObjectOnChain } from '#protocols/greenfield/types';
import type { JobContext } from '#protocols/job/context';
import { isTerminal } from '#protocols/job/states';
import type { Retention } from '../../secondary/column/retention.ts';

/**
 * Decides whether a primary keeps the segments of a version, which it does while the object has that version on chain.
 * The segments of an open job are kept, except those of an upload past its deadline.
 * @param onChain as an up-to-date node says; undefined when there is no such object
 * @param context the job as the journal has it; undefined when it is unknown, or was purged after its end
 */
export function segmentsRetention(
  version: number,
  onChain: ObjectOnChain | undefined,
  context: JobContext | undefined,
  now: number,
): Retention | 'unknown' {
  if (context && !isTerminal(context.state)) {
    return isAbandoned(context, now) ? go('the upload was not completed by its deadline') : { keep: true };
  }
  const found = versionOnChain(onChain, version);
  switch (found.kind) {
    case 'sealed':
      return { keep: true };
    case 'replaced':
      return go(`it was replaced by version ${found.by.version}`, true);
    case 'gone':
      return go(found.because);
    case 'unannounced':
      return go('the update was cancelled');
    case 'waiting':
      if (!context) return 'unknown';
      // of an earlier announcement under the same number; after a seal it is the node that is behind
      return context.state === 'OBJECT_DISCONTINUED' ? go('their upload has ended') : { keep: true };
  }
}

/**
 * True for an upload that was never complete. The rest of an acknowledged payload is kept: "missing" may have been
 * the answer of a store that could not be read.
 */
function isAbandoned({ state, signedSeals, failure, deadlineAt }: JobContext, now: number): boolean {
  const wasWhole = signedSeals.length > 0 || failure?.code === 'payload-lost';
  return state === 'UPLOAD_OBJECT_ERROR' && !wasWhole && now >= deadlineAt;
}

function go(because: string, forReaders = false): Retention {
  return { keep: false, because, forReaders };
}
