import { resumeOffset } from '#protocols/job/parts';
import { authenticate } from '../access/authentication.ts';
import { findObject } from '../access/permission.ts';
import { jobProgress } from '../download/job-progress.ts';
import type { GatewayParts } from '../parts.ts';
import { clientSignal, type Handler } from '../request/context.ts';
import { xmlResponse } from '../request/xml.ts';

/**
 * `GET /{object}?upload-context`: from which byte on a client goes on with an upload in parts. A signature is needed,
 * a permission is not, as with `?upload-progress`.
 */
export function uploadContext(parts: GatewayParts): Handler {
  return async (c) => {
    const signal = clientSignal(c);
    await authenticate(parts.offChainKeys, c);
    const found = await findObject(parts, c.get('address'), signal);
    const job = await jobProgress(parts.objects, found, signal);
    const offset = job ? resumeOffset(job) : 0;
    return xmlResponse(c, `<QueryResumeOffset version="1.0"><Offset>${offset}</Offset></QueryResumeOffset>`);
  };
}
