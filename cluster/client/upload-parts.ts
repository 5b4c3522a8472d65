import { open } from 'node:fs/promises';
import type { ObjectAddress, SpClient } from './sp-client.ts';
import { Tries } from './tries.ts';

/** Approximate size of a part, bytes: small enough to be sent again. */
const PART_BYTES = 16 * 2 ** 20;

/** Size of a part in whole segments, bytes. */
export function partSize(segmentSize: number): number {
  return Math.max(1, Math.floor(PART_BYTES / segmentSize)) * segmentSize;
}

/**
 * Uploads the missing rest of a payload in parts. After a temporary failure it continues where the provider says, as
 * long as there is progress.
 * @returns the durability that the provider states for its acknowledgement, if any
 */
export async function uploadParts(
  sp: SpClient,
  address: ObjectAddress,
  payload: {
    readonly file: string;
    readonly size: number;
    readonly offset: number;
    readonly partBytes: number;
  },
  {
    signal,
    onProgress,
  }: {
    readonly signal: AbortSignal;
    readonly onProgress: (done: number, total: number) => void;
  },
): Promise<string | undefined> {
  const { size, partBytes } = payload;
  const file = await open(payload.file);
  const tries = new Tries();
  let durability: string | undefined;
  try {
    for (let offset = payload.offset; offset < size; ) {
      const bytes = Buffer.alloc(Math.min(partBytes, size - offset));
      await file.read(bytes, 0, bytes.length, offset);
      const part = { offset, bytes, complete: offset + bytes.length === size };
      const report = (done: number) => onProgress(part.offset + done, size);
      try {
        durability = await sp.putPart(address, part, { signal, onProgress: report });
        tries.progressed();
        offset += bytes.length;
      } catch (error) {
        await tries.pauseAfter(error, signal);
        offset = await sp.resumeOffset(address, { signal });
      }
    }
    return durability;
  } finally {
    await file.close();
  }
}
