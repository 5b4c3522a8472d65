import { Retryable } from '#protocols/errors';
import type { ObjectAddress, SpClient } from './sp-client.ts';
import { Tries } from './tries.ts';

/**
 * The payload of an object from one byte on. When the connection breaks, another request continues, as long as each
 * brings at least one byte.
 * @param total bytes of the whole payload
 * @throws Retryable `incomplete-download` when the provider sends less; as `SpClient.getFrom`
 */
export async function* payloadFrom(
  sp: SpClient,
  address: ObjectAddress,
  { from, total }: { readonly from: number; readonly total: number },
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const tries = new Tries();
  let at = from;
  while (at < total) {
    try {
      const answer = await sp.getFrom(address, at, { signal });
      let known = at - answer.from;
      for await (const chunk of answer.body) {
        const fresh = chunk.subarray(Math.min(known, chunk.length));
        known -= chunk.length - fresh.length;
        if (fresh.length === 0) continue;
        at += fresh.length;
        tries.progressed();
        yield fresh;
      }
      if (at < total) throw incomplete(address, at, total);
    } catch (error) {
      await tries.pauseAfter(error, signal);
    }
  }
}

function incomplete({ bucketName, objectName }: ObjectAddress, at: number, total: number): Retryable {
  return new Retryable({
    code: 'incomplete-download',
    message: `Only ${at} of ${total} bytes of ${bucketName}/${objectName} arrived.`,
    advice: 'Run the command again: it continues where it stopped.',
  });
}
