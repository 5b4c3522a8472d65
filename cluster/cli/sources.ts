import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Terminal } from '#protocols/errors';
import { filesIn, sizeOfFile } from '../client/file.ts';
import { type ObjectName, parseObjectName } from './session.ts';

/** In place of a file: standard input or output. */
export const STANDARD_STREAM = '-';
/** Where files go that are given without a name. */
export const DEFAULT_BUCKET = 'sealion';

/** A file that is to be uploaded, and the object that it becomes. */
export interface Source {
  readonly file: string;
  readonly address: ObjectName;
}

/**
 * Which file becomes which object. One file becomes the object of the name; where the name is that of a bucket or ends
 * with a slash, and for several files and folders, it is what their own names are put behind.
 * @param args files and folders, and behind them the name; one alone goes to a bucket of ours
 * @throws Terminal `no-file`, `no-name`, `bad-bucket-name`, `bad-object-name`, before anything is uploaded
 */
export async function sourcesOf(args: readonly string[]): Promise<readonly Source[]> {
  const paths = args.length > 1 ? args.slice(0, -1) : args;
  const name = args.length > 1 ? (args.at(-1) ?? '') : `${DEFAULT_BUCKET}/`;
  const [only, ...others] = paths;
  const exact = /[^/]\/.*[^/]$/s.test(name);
  if (only !== undefined && others.length === 0 && exact && !(await isFolder(only))) {
    if (only !== STANDARD_STREAM) await sizeOfFile(only);
    return [{ file: only, address: parseObjectName(name) }];
  }
  const prefix = name.endsWith('/') ? name : `${name}/`;
  const sources: Source[] = [];
  for (const path of paths) {
    for (const [file, rest] of await filesOf(path)) {
      sources.push({ file, address: parseObjectName(prefix + rest) });
    }
  }
  return sources;
}

/** Files of an argument, with their names behind the prefix. */
async function filesOf(path: string): Promise<readonly (readonly [file: string, name: string])[]> {
  if (path === STANDARD_STREAM) {
    throw new Terminal({
      code: 'no-name',
      message: 'Standard input has no name of its own.',
      advice: 'Give it alone, with the name of an object: sealion put - BUCKET/OBJECT.',
    });
  }
  const own = basename(resolve(path));
  if (!(await isFolder(path))) {
    await sizeOfFile(path);
    return [[path, own]];
  }
  const files = await filesIn(path);
  if (files.length > 0) return files.map((file) => [join(path, file), `${own}/${file}`]);
  throw new Terminal({
    code: 'no-file',
    message: `There is no file in the folder ${path}.`,
    advice: 'Give the path of a file, or of a folder with files in it.',
  });
}

/** Whether there is a folder at a path. */
export async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ?? false;
}

/**
 * Lets `use` have a stream as a file: its checksums go to the chain before its first byte goes to a provider. The file
 * is readable by its owner alone and deleted afterwards.
 */
export async function asFile<T>(
  stream: Readable,
  signal: AbortSignal,
  use: (file: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'sealion-put-'));
  try {
    const file = join(folder, 'input');
    await pipeline(stream, createWriteStream(file, { mode: 0o600 }), { signal });
    return await use(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
