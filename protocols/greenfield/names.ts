import { Terminal } from '../errors.ts';

/**
 * Checks a bucket name by the chain's rules: 3 to 63 of `a-z 0-9 . -`, a letter or digit at both ends, no `..`,
 * `.-` or `-.`, no IP address.
 * @throws Terminal `bad-bucket-name`
 */
export function checkBucketName(name: string): void {
  const fits = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name);
  if (fits && !/\.\.|\.-|-\./.test(name) && !/^(?:[0-9]+\.){3}[0-9]+$/.test(name)) return;
  throw new Terminal({
    code: 'bad-bucket-name',
    message: `"${name.slice(0, 80)}" is not a valid bucket name.`,
    advice: 'Use 3 to 63 lower-case letters, digits, dots and hyphens, with a letter or digit at both ends.',
    gatewayCode: 90007,
  });
}

/**
 * Checks an object name by the chain's rules: 1 to 1024 bytes of UTF-8, not blank, no component `.` or `..`,
 * neither `//` nor a backslash.
 * @throws Terminal `bad-object-name`
 */
export function checkObjectName(name: string): void {
  const size = Buffer.byteLength(name);
  const dotted = name.split('/').some((part) => part.trim() === '.' || part.trim() === '..');
  const fits = name.trim() !== '' && size <= 1024 && !/\p{Surrogate}/u.test(name) && !dotted;
  if (fits && !name.includes('//') && !name.includes('\\')) return;
  throw new Terminal({
    code: 'bad-object-name',
    message: 'The object name is not valid.',
    advice: 'Use 1 to 1024 bytes of UTF-8 without backslashes, "//", or components named "." or "..".',
    gatewayCode: 50044,
  });
}
