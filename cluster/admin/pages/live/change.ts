import type { Fragments } from './fragments.tsx';

/** What the script of the pages (`assets/live.js`) applies. */
export interface Change {
  /** The server's clock, unix ms. */
  readonly at: number;
  /** New contents of elements by id. */
  readonly parts: Readonly<Record<string, string>>;
  readonly lists: Readonly<Record<string, ListChange>>;
}

export interface ListChange {
  /** All ids in order, where it is not the same as before. */
  readonly order?: readonly string[];
  /** New and changed rows by id. */
  readonly rows: Readonly<Record<string, string>>;
}

/** @returns undefined when nothing differs */
export function changesBetween(
  before: Fragments | undefined,
  after: Fragments,
  at: number,
): Change | undefined {
  const parts = differing(before?.parts, after.parts);
  const lists: Record<string, ListChange> = {};
  for (const [id, rows] of after.lists) {
    const old = before?.lists.get(id);
    const changed = differing(old, rows);
    const order = [...rows.keys()];
    const isMoved = !old || order.length !== old.size || [...old.keys()].some((key, i) => key !== order[i]);
    if (isMoved || Object.keys(changed).length > 0) lists[id] = { ...(isMoved && { order }), rows: changed };
  }
  const isEmpty = Object.keys(parts).length + Object.keys(lists).length === 0;
  return isEmpty ? undefined : { at, parts, lists };
}

function differing(
  before: ReadonlyMap<string, string> | undefined,
  after: ReadonlyMap<string, string>,
): Record<string, string> {
  return Object.fromEntries([...after].filter(([id, html]) => before?.get(id) !== html));
}
