import { readFileSync } from 'node:fs';

/** Of the main thread: ns on a processor, ns ready to run without one, number of time slices. */
const SCHEDULE = `/proc/self/task/${process.pid}/schedstat`;

/**
 * Time in which the main thread was ready to run while others had the processors, since its start, ms. Undefined where
 * the system does not tell: it is Linux that does.
 */
export function processorWaitMs(): number | undefined {
  try {
    const waited = Number(readFileSync(SCHEDULE, 'latin1').split(' ')[1]);
    return Number.isFinite(waited) ? waited / 1e6 : undefined;
  } catch {
    return undefined;
  }
}
