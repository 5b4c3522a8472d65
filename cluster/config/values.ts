import { isAbsolute, resolve } from 'node:path';
import { z } from 'zod';
import { checksumAddress, isAddress } from '#protocols/greenfield/address';

/**
 * Kinds of values in the configuration. The message of each says what is expected, so that an error can put it
 * after "expected".
 */

/** A group of keys; any other key is rejected, with the list of known ones. */
export function section<S extends z.core.$ZodLooseShape>(shape: S) {
  const known = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? known : `a group of ${known}`),
  });
}

export function text(what: string) {
  return z.string(what).min(1, what);
}

export function wholeNumber(min: number, max: number, what: string) {
  const expected = `${what}, a whole number from ${min} to ${max}`;
  return z.int(expected).min(min, expected).max(max, expected);
}

const UNITS: Record<string, number> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };
const SIZE = /^([0-9]{1,9}) ?(KiB|MiB|GiB|TiB)$/;

/** Bytes, as a whole number or with a unit. */
export function bytes(min: number, what: string) {
  const expected = `${what}, as bytes or with a unit, for example 256 MiB; at least ${min}`;
  return z
    .union([z.int(), z.string().regex(SIZE)], expected)
    .transform((value) => {
      const [, count, unit] = (typeof value === 'string' && SIZE.exec(value)) || [];
      return count && unit ? Number(count) * (UNITS[unit] as number) : Number(value);
    })
    .refine((value) => Number.isSafeInteger(value) && value >= min, expected);
}

/** Where a server listens. */
export function address(host: string, port: number) {
  return section({
    host: text('a host name or IP address to listen on, for example 0.0.0.0').default(host),
    port: wholeNumber(0, 65_535, 'a port (0: any free one)').default(port),
  }).prefault({});
}

export function url(schemes: readonly string[], example: string) {
  const expected = `a URL, for example ${example}`;
  return z.string(expected).refine((value) => {
    const parsed = URL.canParse(value) ? new URL(value) : undefined;
    return parsed !== undefined && schemes.includes(parsed.protocol.slice(0, -1)) && parsed.hostname !== '';
  }, expected);
}

/** A path; relative ones refer to the folder of the configuration file. */
export function path(base: string, what: string) {
  return text(what).transform((value) => (isAbsolute(value) ? value : resolve(base, value)));
}

/** The location of a secret. */
export function secret(base: string, what: string) {
  const file = section({ file: path(base, 'the path of a file') });
  const env = section({ env: text('the name of an environment variable') });
  return z.union([file, env], secretPlace(what));
}

/** What is expected where the location of a secret is missing. */
export function secretPlace(what: string): string {
  return `where ${what} is stored: { file: <path> } or { env: <name of a variable> }`;
}

/** An account address, converted to EIP-55 case. */
export function account(what: string) {
  const expected = `${what}, 0x and 40 hex digits`;
  return z.string(expected).refine(isAddress, expected).transform(checksumAddress);
}
