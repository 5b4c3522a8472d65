import { createHash, timingSafeEqual } from 'node:crypto';
import { Terminal } from '#protocols/errors';
import { readSecret, type SecretSource } from '#runtime/keys/secret';

/** What a caller may do: look, or look and act. */
export type AdminRole = 'view' | 'act';

/** Tokens by what they allow. */
export type Tokens = Readonly<Partial<Record<AdminRole, string>>>;

/** A token is sent with every request, so it has to withstand guessing. */
const MIN_LENGTH = 24;
const ROLES: readonly AdminRole[] = ['act', 'view'];

/** @throws Terminal `bad-token` when one is too short or both are equal; as `readSecret` */
export async function readTokens(
  sources: Readonly<Partial<Record<AdminRole, SecretSource>>>,
): Promise<Tokens> {
  const tokens: Partial<Record<AdminRole, string>> = {};
  for (const role of ROLES) {
    const source = sources[role];
    if (source) tokens[role] = checked(role, await readSecret(`the admin token for ${role}`, source));
  }
  if (tokens.act === undefined || tokens.act !== tokens.view) return tokens;
  throw badToken('The admin tokens for view and act are equal.', 'Give each role a token of its own.');
}

/** The role of a token. Every comparison takes the same time, whatever the token. */
export function roleOf(token: string, tokens: Tokens): AdminRole | undefined {
  let found: AdminRole | undefined;
  for (const role of ROLES) {
    const known = tokens[role];
    if (isEqual(token, known ?? '') && known !== undefined) found ??= role;
  }
  return found;
}

/** Compares in a time that depends on neither. */
export function isEqual(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

function checked(role: AdminRole, token: string): string {
  if (token.length >= MIN_LENGTH && /^[\x21-\x7e]+$/.test(token)) return token;
  throw badToken(
    `The admin token for ${role} is not ${MIN_LENGTH} or more printable ASCII characters without spaces.`,
    'Make one with "openssl rand -base64 24".',
  );
}

function badToken(message: string, advice: string): Terminal {
  return new Terminal({ code: 'bad-token', message, advice });
}
