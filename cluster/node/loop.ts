import type { StartContext } from './start-context.ts';

/** Runs a loop until the node stops, which then waits for the end of the loop. */
export async function openLoop(
  { lifecycle }: StartContext,
  name: string,
  run: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  await lifecycle.open(
    name,
    () => {
      const stopping = new AbortController();
      return { stopping, ended: run(stopping.signal) };
    },
    ({ stopping, ended }) => {
      stopping.abort();
      return ended;
    },
  );
}
