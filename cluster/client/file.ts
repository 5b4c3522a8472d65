import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Terminal } from '#protocols/errors';

/** @returns the size of a file that is to be uploaded, bytes. @throws Terminal `no-file` */
export async function sizeOfFile(path: string): Promise<number> {
  const found = await stat(path).catch((cause: unknown) => {
    throw noFile(`Cannot read ${path}: ${reason(cause)}.`, cause);
  });
  if (found.isFile()) return found.size;
  throw noFile(`${path} is not a file.`);
}

/**
 * Writes a file that appears, or replaces an existing one, only when all of it has been written and checked. Until then
 * the content is in `<path>.part`, and the next call continues after it.
 * @param size bytes of the whole content
 * @param content gives the bytes from one on
 * @param check throws if the complete file is wrong; it is deleted then
 * @throws Terminal `file-not-writable`, before anything is read; as `content` and `check`; Cancelled
 */
export async function writeOrContinue(
  path: string,
  size: number,
  content: (from: number) => AsyncIterable<Uint8Array>,
  check: (partial: string) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const present = await stat(path).catch(() => undefined);
  if (present && !present.isFile()) throw notWritable(`${path} exists and is not a file.`);
  const partial = `${path}.part`;
  const file = await open(partial, 'a').catch((cause: unknown) => {
    throw notWritable(`Cannot write ${partial}: ${reason(cause)}.`, cause);
  });
  let { size: from } = await file.stat();
  if (from > size) {
    await file.truncate();
    from = 0;
  }
  try {
    await pipeline(content(from), file.createWriteStream(), { signal });
  } catch (error) {
    if ((await stat(partial)).size === 0) await rm(partial, { force: true });
    throw error;
  }
  try {
    await check(partial);
  } catch (error) {
    if (!signal.aborted) await rm(partial, { force: true });
    throw error;
  }
  await rename(partial, path);
}

function noFile(message: string, cause?: unknown): Terminal {
  return new Terminal({ code: 'no-file', message, advice: 'Give the path of one file.', cause });
}

/** All files in a folder and its subfolders, as sorted paths relative to it, with `/`. */
export async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
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
