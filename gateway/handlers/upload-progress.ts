import { escapeXml } from '#protocols/greenfield/gateway-errors';
import type { JobContext } from '#protocols/job/context';
import { progressText } from '#protocols/job/progress-text';
import { troubleOf } from '#protocols/job/trouble';
import { authenticate } from '../access/authentication.ts';
import { type FoundObject, findObject } from '../access/permission.ts';
import type { GatewayDependencies } from '../dependencies.ts';
import { jobProgress } from '../download/job-progress.ts';
import { clientSignal, type Handler } from '../request/context.ts';
import { xmlResponse } from '../request/xml.ts';

/**
 * `GET /{object}?upload-progress`: the progress of the upload, in the texts that clients compare, and what blocks
 * it. It needs a signature but no permission (protocols/greenfield/README.md#uploads).
 */
export function uploadProgress(dependencies: GatewayDependencies): Handler {
  return async (c) => {
    const signal = clientSignal(c);
    await authenticate(dependencies.offChainKeys, c);
    const found = await findObject(dependencies, c.get('address'), signal);
    const progress = await progressOf(dependencies, found, signal);
    const trouble = troubleOf(progress);
    return xmlResponse(
      c,
      `<QueryUploadProgress version="1.0"><ProgressDescription>${escapeXml(progressText(progress))}</ProgressDescription><ErrorDescription>${escapeXml(trouble ? inWords(trouble) : '')}</ErrorDescription></QueryUploadProgress>`,
    );
  };
}

type Trouble = NonNullable<ReturnType<typeof troubleOf>>;

/** The chain decides once the upload has ended, the job until then. */
async function progressOf(
  { objects }: GatewayDependencies,
  found: FoundObject,
  signal: AbortSignal,
): Promise<Pick<JobContext, 'state' | 'failure' | 'rejectFailure'>> {
  const { object } = found.onChain;
  if (object.status === 'DISCONTINUED') return { state: 'OBJECT_DISCONTINUED' };
  if (object.status === 'SEALED' && !object.isUpdating) return { state: 'SEAL_OBJECT_DONE' };
  return (await jobProgress(objects, found, signal)) ?? { state: 'INIT_UNSPECIFIED' };
}

function inWords({ message, advice, nextTryAt }: Trouble): string {
  const next = nextTryAt === undefined ? undefined : `Next try at ${new Date(nextTryAt).toISOString()}.`;
  return [message, advice, next].filter(Boolean).join(' ');
}
