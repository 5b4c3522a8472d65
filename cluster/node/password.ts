import { readSecret, type SecretSource } from '#runtime/keys/secret';

/**
 * Reads a password, which the configuration contains or names the file of.
 * @param what for the error, for example `the password of the home plane`
 * @throws as `readSecret`
 */
export async function readPassword(
  what: string,
  password: string | SecretSource | undefined,
): Promise<string | undefined> {
  if (password === undefined || typeof password === 'string') return password;
  return readSecret(what, password);
}
