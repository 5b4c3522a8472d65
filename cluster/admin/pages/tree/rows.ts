import type { TreeNode } from '#runtime/actors/types';
import { isFiltering, matches, type TreeFilter } from './filter.ts';
import { actorId, CHILDREN_SHOWN, type OpenActors } from './open-actors.ts';

/** One line of the tree as a page shows it. */
export type TreeRow =
  | {
      readonly type: 'actor';
      readonly id: string;
      /** From 1. */
      readonly level: number;
      readonly node: TreeNode;
      readonly isOpen: boolean;
      /** Whether it can be opened and closed. */
      readonly canToggle: boolean;
    }
  /** The children that are not shown. */
  | {
      readonly type: 'more';
      readonly id: string;
      readonly level: number;
      readonly hidden: number;
      /** The value of a button that shows more; absent where only another filter helps. */
      readonly toggle?: string;
    };

/** Actors that a filter shows at most. */
export const MATCHES_SHOWN = 200;

export interface TreeRows {
  readonly rows: readonly TreeRow[];
  /** Actors that match the filter, or all. */
  readonly count: number;
  readonly total: number;
}

/**
 * The lines of some trees: without a filter, the roots with their children and those of open actors; with one, the
 * actors that match, each below those that it belongs to.
 * @param now unix ms
 */
export function treeRows(
  trees: readonly TreeNode[],
  open: OpenActors,
  filter: TreeFilter,
  now: number,
): TreeRows {
  const total = trees.reduce((sum, tree) => sum + sizeOf(tree), 0);
  if (isFiltering(filter)) return { ...matching(trees, filter, now), total };
  return { rows: trees.flatMap((tree) => opened(tree, 1, open)), count: total, total };
}

function opened(node: TreeNode, level: number, open: OpenActors): TreeRow[] {
  const id = actorId(node.path);
  const canToggle = level > 1 && node.children.length > 0;
  const isOpen = level === 1 || (canToggle && open.has(id));
  const row: TreeRow = { type: 'actor', id, level, node, isOpen, canToggle };
  if (!isOpen) return [row];
  const times = open.get(id) ?? 1;
  const shown = node.children.slice(0, times * CHILDREN_SHOWN);
  const rows = [row, ...shown.flatMap((child) => opened(child, level + 1, open))];
  const hidden = node.children.length - shown.length;
  if (hidden > 0)
    rows.push({ type: 'more', id: `${id}-more`, level: level + 1, hidden, toggle: `${id}~${times + 1}` });
  return rows;
}

function matching(trees: readonly TreeNode[], filter: TreeFilter, now: number) {
  const rows: TreeRow[] = [];
  let count = 0;
  const visit = (node: TreeNode, level: number) => {
    const begin = rows.length;
    const isMatch = matches(node, filter, now);
    if (isMatch) count += 1;
    const isShown = isMatch && count <= MATCHES_SHOWN;
    for (const child of node.children) visit(child, level + 1);
    if (!isShown && rows.length === begin) return;
    const id = actorId(node.path);
    rows.splice(begin, 0, { type: 'actor', id, level, node, isOpen: true, canToggle: false });
  };
  for (const tree of trees) visit(tree, 1);
  const hidden = count - MATCHES_SHOWN;
  if (hidden > 0) rows.push({ type: 'more', id: 'more-matches', level: 1, hidden });
  return { rows, count };
}

function sizeOf(node: TreeNode): number {
  return node.children.reduce((sum, child) => sum + sizeOf(child), 1);
}
