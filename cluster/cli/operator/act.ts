import { createInterface } from 'node:readline/promises';
import { Terminal } from '#protocols/errors';
import { printable } from '#runtime/telemetry/printable';
import type { ActionName } from '../../admin/actions/action.ts';
import { ACTION_TEXTS } from '../../admin/pages/actions/table.ts';
import type { Reporter } from '../reporter.ts';
import { openAdmin } from './admin.ts';
import type { AdminOptions } from './admin-url.ts';
import { findJob } from './find-job.ts';

export interface ActOptions extends AdminOptions {
  readonly yes?: boolean;
  readonly reason?: string;
  /** Of `ban-peer`. */
  readonly minutes?: number;
}

/** An object of any size may be read and repaired within this time, ms. */
const REPAIR_LIMIT_MS = 6 * 60 * 60_000;
/** Longer than the slowest owner may take to answer the admin server. */
const ACTION_LIMIT_MS = 30_000;
const OF_JOBS: readonly ActionName[] = ['retry', 'reject', 'repair'];

/** Where a person is asked. */
export interface Terminals {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

const OWN: Terminals = { input: process.stdin, output: process.stderr };

/**
 * Has something done by whoever owns the matter, once the operator has confirmed it.
 * @throws Terminal `not-confirmed`, and what the owner of the matter refuses with
 */
export async function act(
  action: ActionName,
  text: string,
  options: ActOptions,
  report: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const api = await openAdmin(options, 'act');
  const target = OF_JOBS.includes(action) ? await findJob(api, text, signal) : text;
  if (!options.yes) await confirm(action, target, signal);
  const { reason, minutes } = options;
  const request = { action, target, ...(reason !== undefined && { reason }), ...(minutes && { minutes }) };
  const limitMs = action === 'repair' ? REPAIR_LIMIT_MS : ACTION_LIMIT_MS;
  const { outcome } = await api.post<{ outcome: string }>('/api/actions', request, signal, limitMs);
  report.line(`${target}: ${outcome}`, { event: 'done', action, target, outcome });
}

/** @throws Terminal `not-confirmed` when the answer is not yes, or there is nobody to ask */
export async function confirm(
  action: ActionName,
  target: string,
  signal: AbortSignal,
  { input, output }: Terminals = OWN,
): Promise<void> {
  if (!input.isTTY || !output.isTTY) {
    throw new Terminal({
      code: 'not-confirmed',
      message: 'There is no terminal on which this could be confirmed; nothing was done.',
      advice: 'Give --yes.',
    });
  }
  const lines = createInterface({ input, output });
  try {
    const closed = new AbortController();
    lines.once('close', () => closed.abort());
    // readline takes Ctrl-C for itself while it asks
    lines.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
    const either = AbortSignal.any([signal, closed.signal]);
    const answer = await lines.question(questionOf(action, target), { signal: either }).catch(() => '');
    signal.throwIfAborted();
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    lines.close();
  }
  throw new Terminal({ code: 'not-confirmed', message: 'It was not confirmed; nothing was done.' });
}

function questionOf(action: ActionName, target: string): string {
  const { question, consequence, isFinal } = action === 'forget-node' ? FORGET : ACTION_TEXTS[action];
  const asked = `${question(target)} ${consequence}${isFinal ? ' This cannot be undone.' : ''}`;
  return `${printable(asked)} [y/N] `;
}

const FORGET = {
  question: (target: string) => `Forget ${target}?`,
  consequence: 'It is no longer named among the nodes that do not answer, until it starts again.',
  isFinal: false,
};
