import type { TreeNode } from '#runtime/actors/types';
import { count, duration, size } from './units.ts';

/**
 * The actor tree of a node as lines of text: each actor with what it is doing, what it waits for, for how long, and
 * when it will try again.
 * @param now unix ms
 */
export function treeLines(root: TreeNode, now: number): string[] {
  return [`${root.name}${statement(root, now)}`, ...below(root, '', now)];
}

function below(node: TreeNode, indent: string, now: number): string[] {
  return node.children.flatMap((child, index) => {
    const last = index === node.children.length - 1;
    const line = `${indent}${last ? '└── ' : '├── '}${child.name}${statement(child, now)}`;
    return [line, ...below(child, `${indent}${last ? '    ' : '│   '}`, now)];
  });
}

function statement({ activity, status, restarts, lastError, mailbox }: TreeNode, now: number): string {
  const parts: string[] = [];
  if (status !== 'running') parts.push(status);
  if (activity) {
    parts.push(activity.doing);
    if (activity.progress) parts.push(progress(activity.progress));
    if (activity.waitsFor) parts.push(`waits for ${activity.waitsFor}`);
    parts.push(`for ${duration(now - activity.since)}`);
    if (activity.nextTryAt) parts.push(`next try in ${duration(activity.nextTryAt - now)}`);
  }
  if (restarts > 0) parts.push(count(restarts, 'restart'));
  if (mailbox > 0) parts.push(`${count(mailbox, 'message')} in its mailbox`);
  if (lastError) parts.push(`last error ${duration(now - lastError.at)} ago: ${lastError.message}`);
  return parts.length > 0 ? `  ${parts.join(', ')}` : '';
}

function progress({ done, total, unit }: { done: number; total: number; unit: string }): string {
  return unit === 'bytes' ? `${size(done)} of ${size(total)}` : `${done} of ${total} ${unit}`;
}
