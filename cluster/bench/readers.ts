import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { BenchNetwork } from './network.ts';
import type { BenchObject } from './objects.ts';

/** What readers have got, all together. */
export interface Served {
  /** Complete answers. */
  readonly answers: number;
  /** Requests that ended in another way. */
  readonly failures: number;
}

export interface Readers {
  /** Lets each of them read to the end of its answer, as fast as it can. */
  stop(): Promise<Served>;
}

/**
 * Starts clients that read a public object again and again, over a new connection each time. They are a process of
 * their own, so that they do not delay what is measured here.
 * @param bytesPerSecond of each of them, about; 0 for as fast as they can
 * @returns when all of them have begun
 */
export async function startReaders(
  { primary }: BenchNetwork,
  { bucketName, objectName, size }: BenchObject,
  { count, bytesPerSecond }: { readonly count: number; readonly bytesPerSecond: number },
  signal: AbortSignal,
): Promise<Readers> {
  const url = new URL(`/${bucketName}/${objectName}`, primary.endpoint);
  const program = new URL('./readers-process.js', import.meta.url);
  const child = fork(program, [url.href, String(size), String(count), String(bytesPerSecond)], { signal });
  // The signal ends the process; whoever waits for its messages notices by the signal, too.
  child.on('error', () => {});
  await once(child, 'message', { signal });
  return {
    async stop() {
      const served = once(child, 'message', { signal });
      child.send('stop');
      return ((await served) as [Served])[0];
    },
  };
}
