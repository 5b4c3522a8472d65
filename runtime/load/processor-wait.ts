import { openSync, readSync } from 'node:fs';

/** Of the main thread: ns on a processor, ns ready to run without one, number of time slices. */
const SCHEDULE = `/proc/self/task/${process.pid}/schedstat`;

/** The open file, since opening it takes longer than reading it; undefined where there is none. Open until the process ends. */
let schedule: { readonly file: number | undefined } | undefined;
const text = Buffer.alloc(128);

/**
 * Time in which the main thread was ready to run while others had the processors, since its start, ms. Undefined where
 * the system does not tell: it is Linux that does.
 */
export function processorWaitMs(): number | undefined {
  schedule ??= { file: opened() };
  if (schedule.file === undefined) return undefined;
  try {
    const length = readSync(schedule.file, text, 0, text.length, 0);
    const waited = Number(text.toString('latin1', 0, length).split(' ')[1]);
    return Number.isFinite(waited) ? waited / 1e6 : undefined;
  } catch {
    return undefined;
  }
}

function opened(): number | undefined {
  try {
    return openSync(SCHEDULE, 'r');
  } catch {
    return undefined;
  }
}
