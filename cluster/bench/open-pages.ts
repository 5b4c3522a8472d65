import type { AdminApi } from '../client/admin-api.ts';

/** Pages for operators that are open, as in a browser. */
export interface OpenPages {
  /** Closes them. @returns how many changes each was sent. @throws the failure of one that ended before */
  close(): Promise<readonly number[]>;
}

const CHANGE = 'event: change';

/**
 * Opens pages and follows their changes.
 * @param paths for example `/tree`
 * @returns when each has been sent its content
 * @throws as `AdminApi.open`
 */
export async function openPages(
  admin: AdminApi,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<OpenPages> {
  const closed = new AbortController();
  const either = AbortSignal.any([signal, closed.signal]);
  const opened = await Promise.all(paths.map((path) => open(admin, path, either)));
  return {
    async close() {
      closed.abort();
      return Promise.all(opened.map(({ ended }) => ended));
    },
  };
}

async function open(admin: AdminApi, path: string, signal: AbortSignal) {
  const events = await admin.open(`/events?page=${encodeURIComponent(path)}`, signal);
  let changes = 0;
  let begin: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const follow = async () => {
    let rest = '';
    const decoder = new TextDecoder();
    try {
      for await (const bytes of events) {
        const lines = `${rest}${decoder.decode(bytes, { stream: true })}`.split('\n');
        rest = lines.pop() ?? '';
        changes += lines.filter((line) => line === CHANGE).length;
        if (changes > 0) begin();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    if (!signal.aborted) throw new Error(`the page ${path} ended`);
    return changes;
  };
  const ended = follow();
  await Promise.race([begun, ended]);
  return { ended };
}
