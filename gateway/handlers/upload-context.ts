import { resumeOffset } from '#protocols/job/parts';
import { authenticate } from '../access/authentication.ts';
import { findObject } from '../access/permission.ts';
import type { GatewayDependencies } from '../dependencies.ts';
import { jobProgress } from '../download/job-progress.ts';
import { clientSignal, type Handler } from '../request/context.ts';
import { xmlResponse } from '../request/xml.ts';

/**
 * `GET /{object}?upload-context`: the byte from which a client resumes an upload in parts. It needs a signature but
 * no permission, as with `?upload-progress`.
 */
export function uploadContext(dependencies: GatewayDependencies): Handler {
  return async (c) => {
    const signal = clientSignal(c);
    await authenticate(dependencies.offChainKeys, c);
    const found = await findObject(dependencies, c.get('address'), signal);
    const job = await jobProgress(dependencies.objects, found, signal);
    const offset = job ? resumeOffset(job) : 0;
    return xmlResponse(c, `<QueryResumeOffset version="1.0"><Offset>${offset}</Offset></QueryResumeOffset>`);
  };
}
