import { setTimeout as sleep } from 'node:timers/promises';
import { SealionError } from '#protocols/errors';

/** What a provider answers about an object of which it has the whole payload. */
const ALREADY_UPLOADED = 110_006;

/**
 * Uploads as a client does that repeats a request when it failed. When a server dies between the acknowledgement and
 * its way to the client, the repeated request is refused because the object has been uploaded: that is the same
 * acknowledgement.
 * @throws what the last try threw
 */
export async function persistentPut(
  put: () => Promise<unknown>,
  { tries, pauseMs }: { readonly tries: number; readonly pauseMs: number },
): Promise<void> {
  for (let left = tries - 1; ; left -= 1) {
    try {
      await put();
      return;
    } catch (error) {
      if (left < tries - 1 && error instanceof SealionError && error.gatewayCode === ALREADY_UPLOADED) return;
      if (left === 0) throw error;
      await sleep(pauseMs);
    }
  }
}
