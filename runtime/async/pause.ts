import { orAborted } from './or-aborted.ts';

/**
 * Waits for a time, or until one of the signals fires; then no timer is left, so nothing keeps the process from ending.
 * @throws the signal's reason in our taxonomy
 */
export async function pause(ms: number, ...signals: readonly (AbortSignal | undefined)[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  try {
    await orAborted(
      new Promise<void>((resolve) => {
        timer = setTimeout(resolve, ms);
      }),
      ...signals,
    );
  } finally {
    clearTimeout(timer);
  }
}
