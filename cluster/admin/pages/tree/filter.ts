import type { TreeNode } from '#runtime/actors/types';

/** What an operator looks for in the tree. */
export interface TreeFilter {
  /** Part of a name, activity, wait or last error; any case. */
  readonly text: string;
  /** Empty for all. */
  readonly kind: string;
  /** Only actors that have waited for longer, ms; 0 for all. */
  readonly waitsMs: number;
}

export function isFiltering({ text, kind, waitsMs }: TreeFilter): boolean {
  return text !== '' || kind !== '' || waitsMs > 0;
}

/** @param now unix ms */
export function matches(node: TreeNode, { text, kind, waitsMs }: TreeFilter, now: number): boolean {
  if (kind !== '' && node.kind !== kind) return false;
  if (waitsMs > 0 && waitOf(node, now) <= waitsMs) return false;
  if (text === '') return true;
  const { name, activity, lastError } = node;
  const texts = [name, activity?.doing, activity?.waitsFor, lastError?.code, lastError?.message];
  const wanted = text.toLowerCase();
  return texts.some((one) => one?.toLowerCase().includes(wanted));
}

/** How long an actor has waited, ms; −1 when it does not wait. */
function waitOf({ activity }: TreeNode, now: number): number {
  if (!activity || (activity.waitsFor === undefined && activity.nextTryAt === undefined)) return -1;
  return now - activity.since;
}

/** The kinds in some trees, sorted. */
export function kindsOf(trees: readonly TreeNode[]): readonly string[] {
  const kinds = new Set<string>();
  const visit = (node: TreeNode) => {
    kinds.add(node.kind);
    node.children.forEach(visit);
  };
  trees.forEach(visit);
  return [...kinds].sort();
}
