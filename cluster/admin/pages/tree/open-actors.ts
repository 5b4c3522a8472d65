import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** Children of an actor that are shown at once, and with each press of "more". */
export const CHILDREN_SHOWN = 100;
/** Open actors of one page, so that its address remains short enough. */
const MAX_OPEN = 100;
const MAX_TIMES = 100;

/** Made when the first page is: it has its memory from the beginning. */
let ids: LRUCache<string, string> | undefined;

/** A short id of an actor's path, for addresses and elements of pages. */
export function actorId(path: string): string {
  ids ??= new LRUCache({ max: 20_000 });
  const known = ids.get(path);
  if (known !== undefined) return known;
  const id = `a${createHash('sha256').update(path).digest('hex').slice(0, 13)}`;
  ids.set(path, id);
  return id;
}

/**
 * Open actors of a page, as its address has them: `<id>.<id>~3`, where the number says how many times `CHILDREN_SHOWN`
 * children are shown.
 */
export type OpenActors = ReadonlyMap<string, number>;

/** Whatever does not belong is ignored. */
export function parseOpen(text: string): OpenActors {
  const open = new Map<string, number>();
  for (const item of text.split('.')) {
    const [, id, times = '1'] = /^(a[0-9a-f]{13})(?:~(\d{1,3}))?$/.exec(item) ?? [];
    if (id !== undefined && open.size < MAX_OPEN)
      open.set(id, Math.min(MAX_TIMES, Math.max(1, Number(times))));
  }
  return open;
}

export function formatOpen(open: OpenActors): string {
  return [...open].map(([id, times]) => (times > 1 ? `${id}~${times}` : id)).join('.');
}

/** After a press of a button of the tree, whose value is `<id>` to open or close, or `<id>~<times>` to show more. */
export function toggled(open: OpenActors, value: string): OpenActors {
  const [[id, times] = []] = [...parseOpen(value)];
  if (id === undefined) return open;
  const next = new Map(open);
  if (!value.includes('~') && next.has(id)) next.delete(id);
  else next.set(id, times ?? 1);
  return next;
}
