import { open } from 'node:fs/promises';
import { SealionError, Terminal } from '#protocols/errors';

/** Where a secret is kept: a file (path) or an environment variable (name). Never in the configuration itself. */
export type SecretSource = { readonly file: string } | { readonly env: string };

/** Secrets are short; a longer file is the wrong file. */
const LIMIT_BYTES = 1024;
const OTHERS = 0o007;
const GROUP_WRITE = 0o020;

/**
 * Reads a secret, without the white space around it. Errors name the place of the secret, never what it holds.
 * @param what the secret in words, for example `the seal key`
 * @throws Terminal `secret-missing`, `secret-exposed` (a file that other users of the machine may read or change),
 * `secret-unreadable`
 */
export async function readSecret(
  what: string,
  source: SecretSource,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  if ('env' in source) {
    const value = env[source.env]?.trim();
    if (value) return value;
    throw new Terminal({
      code: 'secret-missing',
      message: `Missing ${what}: the environment variable ${source.env} is not set.`,
      advice: `Set ${source.env} for the process, or keep the secret in a file.`,
    });
  }
  try {
    return await readSecretFile(what, source.file);
  } catch (cause) {
    if (cause instanceof SealionError) throw cause;
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new Terminal({
      code: missing ? 'secret-missing' : 'secret-unreadable',
      message: `Cannot read ${what} from ${source.file}.`,
      advice: missing
        ? 'Put the secret there, or correct the path in the configuration.'
        : 'The user that runs the node must be able to read the file.',
      cause,
    });
  }
}

async function readSecretFile(what: string, path: string): Promise<string> {
  const file = await open(path);
  try {
    const { mode } = await file.stat();
    if ((mode & (OTHERS | GROUP_WRITE)) !== 0) {
      throw new Terminal({
        code: 'secret-exposed',
        message: `${path} holds ${what}, and other users of this machine may read or change it.`,
        advice: `chmod 600 ${path}`,
      });
    }
    const { bytesRead, buffer } = await file.read(Buffer.alloc(LIMIT_BYTES + 1), 0, LIMIT_BYTES + 1);
    const text = buffer.toString('utf8', 0, bytesRead).trim();
    if (bytesRead <= LIMIT_BYTES && text !== '') return text;
    throw new Terminal({
      code: 'secret-unreadable',
      message: `${path} should contain ${what}, but ${text === '' ? 'is empty' : 'is too long for that'}.`,
      advice: 'Correct the path in the configuration, or write only the secret into the file.',
    });
  } finally {
    await file.close();
  }
}
