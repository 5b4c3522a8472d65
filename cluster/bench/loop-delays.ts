import { setTimeout as sleep } from 'node:timers/promises';
import type { AdminApi } from '../client/admin-api.ts';

/** Delay of a node's event loop in one interval of 100 ms. */
export interface LoopDelay {
  /** Mean delay of an event at a random moment, ms. */
  readonly lateMs: number;
  /** Longest time for which the loop was blocked, ms. */
  readonly worstMs: number;
  /** As `lateMs`, without the time in which other processes had the processors, ms; absent where that is not known. */
  readonly ownLateMs?: number;
}

const EVERY_MS = 100;

/**
 * Reads the event loop delay of a node from its admin server, ten times a second while a task runs, which is given what
 * has been read so far. Empty when the admin server cannot be reached.
 */
export async function delaysDuring(
  api: AdminApi,
  task: (delays: readonly LoopDelay[]) => Promise<unknown>,
): Promise<readonly LoopDelay[]> {
  const delays: LoopDelay[] = [];
  const running = new AbortController();
  const poll = async () => {
    while (!running.signal.aborted) {
      const found = await loopDelay(api);
      if (!found) return;
      delays.push(found);
      await sleep(EVERY_MS, undefined, { signal: running.signal }).catch(() => undefined);
    }
  };
  const polled = poll();
  try {
    await task(delays);
  } finally {
    running.abort();
    await polled;
  }
  return delays;
}

async function loopDelay(api: AdminApi): Promise<LoopDelay | undefined> {
  try {
    return (await api.get<{ readonly eventLoop: LoopDelay }>('/api/nodes/self/load')).eventLoop;
  } catch {
    // The report omits what cannot be measured.
    return undefined;
  }
}
