import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Terminal } from '#protocols/errors';

const NAME = 'nats-server';
const USUAL_FOLDERS = ['/usr/sbin', '/usr/local/bin', '/opt/homebrew/bin'];

/**
 * Path of the nats-server program: `SEALION_NATS_SERVER` if set, else the first of `.cache/nats-server` of this
 * project, PATH, and the folders where packages put it.
 * @throws Terminal `nats-server-missing`
 */
export async function findNatsServer(): Promise<string> {
  const configured = process.env.SEALION_NATS_SERVER;
  const candidates = configured
    ? [configured]
    : [...(await cached()), ...onPath(), ...USUAL_FOLDERS.map(program)];
  for (const candidate of candidates) {
    if (await isExecutable(candidate)) return candidate;
  }
  throw new Terminal({
    code: 'nats-server-missing',
    message: configured
      ? `SEALION_NATS_SERVER names ${configured}, which is not an executable file.`
      : 'No nats-server program was found.',
    advice:
      'Install nats-server 2.9 or later (apt install nats-server, brew install nats-server, or a release from nats.io), or set SEALION_NATS_SERVER to its path.',
  });
}

/**
 * Path of the current nats-server that the set-up of this project gets beside the packaged one, where it can;
 * undefined where there is none.
 */
export async function findCurrentNatsServer(): Promise<string | undefined> {
  for (const candidate of await inCache('nats-server-current')) {
    if (await isExecutable(candidate)) return candidate;
  }
  return undefined;
}

function program(folder: string): string {
  return join(folder, NAME);
}

function onPath(): string[] {
  return (process.env.PATH ?? '').split(delimiter).filter(Boolean).map(program);
}

/** The copy unpacked from Debian's package. */
function cached(): Promise<string[]> {
  return inCache('nats-server/usr/sbin');
}

/** The program in a folder of the cache below the nearest folder with a package.json. */
async function inCache(place: string): Promise<string[]> {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (folder !== dirname(folder)) {
    if (await exists(join(folder, 'package.json'))) return [join(folder, '.cache', place, NAME)];
    folder = dirname(folder);
  }
  return [];
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
