import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Terminal } from '#protocols/errors';
import { filesIn, sizeOfFile } from '../client/file.ts';
import { type ObjectName, parseObjectName } from './session.ts';
import { DEFAULT_BUCKET, STANDARD_STREAM } from './values.ts';

/** A file to upload, and the object that it becomes. */
export interface Source {
  readonly file: string;
  readonly address: ObjectName;
}

/**
 * Assigns an object name to each file. A single file gets the given name. For several files, for folders, and if the
 * name is only a bucket or ends with a slash, the name is a prefix to which their own names are appended.
 * @param args files and folders, followed by the name; a single argument goes to `DEFAULT_BUCKET`
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

/** The file of an argument, or all files in a folder, each with its name to be appended to the prefix. */
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

/** True when there is a folder at a path. */
export async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ?? false;
}

/**
 * Copies a stream to a temporary file for `use`: its checksums must be on chain before the first byte is uploaded. Only
 * its owner can read the file, and it is deleted afterwards.
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
