import type { Reporter } from '../cli/reporter.ts';
import { duration } from '../cli/units.ts';
import type { Passed, TakeOverHooks } from '../devnet/take-over.ts';

/** Says in words which node is killed, and which takes over. */
export function takeOverReports(report: Reporter): Pick<TakeOverHooks, 'onKilled' | 'onTakenOver'> {
  return {
    onKilled({ uploader, killed }) {
      const what = `node ${killed} is killed before the seal; the client has its acknowledgement and may leave`;
      report.line([uploadedBy(uploader, killed), what], { event: 'node-killed', uploader, node: killed });
    },
    onTakenOver({ successor, ms }) {
      const text = `node ${successor} has taken over, ${duration(ms)} after the kill`;
      report.line(text, { event: 'taken-over', node: successor, ms });
    },
  };
}

function uploadedBy(uploader: string, owner: string): string {
  if (uploader === owner) return `node ${uploader} took the upload and works on the object`;
  return `node ${uploader} took the upload, node ${owner} works on the object`;
}

/** A take-over in one sentence. */
export function passedText({ uploader, killed, successor, ms }: Passed): string {
  const upload = uploader === killed ? '' : `node ${uploader} took the upload, `;
  const took = uploader === killed ? 'took the upload' : 'worked on the object';
  return `${upload}node ${killed} ${took} and was killed before the seal, node ${successor} took over after ${duration(ms)}`;
}
