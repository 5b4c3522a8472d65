import { setTimeout as sleep } from 'node:timers/promises';
import type { NetworkSp } from '../cli/network.ts';

/** How late the event loop of a node was in one span of 100 ms. */
export interface LoopDelay {
  /** To what turns up at a random moment, ms. */
  readonly lateMs: number;
  /** The longest time for which it came to nothing, ms. */
  readonly worstMs: number;
}

const EVERY_MS = 100;

/**
 * Asks a node how late its event loop is, ten times a second while a task runs. No delays of a node whose admin
 * server cannot be reached from here.
 */
export async function delaysDuring(
  { admin }: NetworkSp,
  task: () => Promise<unknown>,
): Promise<readonly LoopDelay[]> {
  const delays: LoopDelay[] = [];
  const running = new AbortController();
  const poll = async () => {
    while (!running.signal.aborted) {
      const found = await loopDelay(admin);
      if (!found) return;
      delays.push(found);
      await sleep(EVERY_MS, undefined, { signal: running.signal }).catch(() => undefined);
    }
  };
  const polled = poll();
  try {
    await task();
  } finally {
    running.abort();
    await polled;
  }
  return delays;
}

async function loopDelay(admin: string): Promise<LoopDelay | undefined> {
  try {
    const answer = await fetch(`${admin}/load`);
    return ((await answer.json()) as { readonly eventLoop?: LoopDelay }).eventLoop;
  } catch {
    // A measurement that cannot be made is left out of the report.
    return undefined;
  }
}
