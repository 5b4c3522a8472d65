import { open, rename, rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { Terminal } from '#protocols/errors';

/** @returns bytes of a file that is to be uploaded. @throws Terminal `no-file` */
export async function sizeOfFile(path: string): Promise<number> {
  const found = await stat(path).catch((cause: unknown) => {
    throw noFile(`Cannot read ${path}: ${reason(cause)}.`, cause);
  });
  if (found.isFile()) return found.size;
  throw noFile(`${path} is not a file.`);
}

/**
 * Writes a file that appears, or replaces what is there, only when all of it has been written.
 * @throws Terminal `file-not-writable`, before anything is read; whatever the content throws; Cancelled
 */
export async function writeWhole(
  path: string,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const present = await stat(path).catch(() => undefined);
  if (present && !present.isFile()) throw notWritable(`${path} exists and is not a file.`);
  const partial = `${path}.part`;
  const file = await open(partial, 'w').catch((cause: unknown) => {
    throw notWritable(`Cannot write ${partial}: ${reason(cause)}.`, cause);
  });
  try {
    await pipeline(content, file.createWriteStream(), { signal });
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

function noFile(message: string, cause?: unknown): Terminal {
  return new Terminal({ code: 'no-file', message, advice: 'Give the path of one file.', cause });
}

function notWritable(message: string, cause?: unknown): Terminal {
  const advice = 'Give the path of a file in an existing folder that you may write to.';
  return new Terminal({ code: 'file-not-writable', message, advice, cause });
}

function reason(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file or folder';
  if (code === 'EACCES') return 'you have no permission';
  return message;
}
