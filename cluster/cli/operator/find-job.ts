import { Terminal } from '#protocols/errors';
import { formatJobId } from '#protocols/job/identity';
import type { SearchHit } from '../../admin/view/provider-view.ts';
import type { AdminApi } from '../../client/admin-api.ts';

/**
 * The job that is meant: by its id (`4711.0`), by the object's id, or by its name; the newest if there are several.
 * @throws Terminal `not-found`
 */
export async function findJob(api: AdminApi, text: string, signal: AbortSignal): Promise<string> {
  if (/^[0-9]+\.[0-9]+$/.test(text)) return text;
  const hits = await api.get<readonly SearchHit[]>(`/api/search?q=${encodeURIComponent(text)}`, signal);
  const [newest] = hits
    .flatMap(({ job }) => job ?? [])
    .filter(({ job, bucketName, objectName }) => [job.objectId, `${bucketName}/${objectName}`].includes(text))
    .sort((a, b) => b.createdAt - a.createdAt || b.job.version - a.job.version);
  if (newest) return formatJobId(newest.job);
  throw new Terminal({
    code: 'not-found',
    message: `This storage provider knows no job for ${text}.`,
    advice: 'Give the id of a job (4711.0), of an object, or bucket/object; its primary knows it.',
  });
}
