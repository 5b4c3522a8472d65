import type { IncomingMessage } from 'node:http';
import { Retryable, Terminal } from '#protocols/errors';
import { clientOf, isLoopback, withoutMapping } from '#runtime/http/hosts';
import { TokenBuckets } from '#runtime/load/token-buckets';
import { printable } from '#runtime/telemetry/printable';
import { type Caller, checkOwnPage } from './callers.ts';
import { COOKIE, type Identity, readSession } from './session.ts';
import { roleOf, type Tokens } from './tokens.ts';

/** Wrong tokens that an address may send at once, and then per second. */
const TRIES = { burst: 10, perSecond: 0.2 };
const ADDRESSES = 10_000;
const NAME_LIMIT = 64;
/** Whoever sends one of these stands behind a proxy: the connection says nothing about where the caller is. */
const FORWARDED = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'] as const;

export interface IdentifyOptions {
  readonly tokens: Tokens;
  /** Callers of this machine need no token. */
  readonly openLoopback: boolean;
  /** Unix ms. */
  readonly now?: () => number;
}

/** Finds out who callers are, and bounds how often an address may be wrong about its token. */
export class Identifier {
  readonly #options: Required<IdentifyOptions>;
  readonly #tries = new TokenBuckets({ ...TRIES, maxKeys: ADDRESSES });

  constructor(options: IdentifyOptions) {
    this.#options = { now: Date.now, ...options };
  }

  /**
   * Undefined when the caller shows nothing, or a session that has ended.
   * @throws Terminal `wrong-token`, `foreign-page`; Retryable `too-many-tries`
   */
  identify(caller: Caller): Identity | undefined {
    const { headers, method = 'GET' } = caller;
    const bearer = /^bearer +(.*)$/i.exec(headers.authorization ?? '')?.[1];
    if (bearer !== undefined) return this.login(caller, bearer.trim(), nameIn(headers));
    const session = cookieOf(headers.cookie ?? '');
    const { tokens, openLoopback, now } = this.#options;
    const found = session === undefined ? undefined : readSession(session, tokens, now());
    if (found) {
      if (method !== 'GET' && method !== 'HEAD') checkOwnPage(caller);
      return found;
    }
    if (openLoopback && isOfThisMachine(caller)) return { role: 'act', ...nameIn(headers) };
    return undefined;
  }

  /** @throws Terminal `wrong-token`; Retryable `too-many-tries` */
  login({ socket }: Pick<Caller, 'socket'>, token: string, { name }: Pick<Identity, 'name'> = {}): Identity {
    const address = clientOf(socket.remoteAddress ?? '');
    const waitMs = this.#tries.charge(address, 0);
    if (waitMs > 0) throw tooManyTries(waitMs);
    const role = roleOf(token, this.#options.tokens);
    if (role) return { role, ...nameOf(name) };
    this.#tries.charge(address, 1);
    throw new Terminal({
      code: 'wrong-token',
      message: 'The admin server does not know this token.',
      advice: 'Send one of the tokens that admin.tokens names.',
    });
  }
}

/** True when no machine but this one can have sent the request. */
export function isOfThisMachine({ headers, socket }: Pick<Caller, 'headers' | 'socket'>): boolean {
  return !isForwarded({ headers }) && isLoopback(withoutMapping(socket.remoteAddress ?? ''));
}

/** True when a proxy says that it passes on the request of somebody else. */
export function isForwarded({ headers }: Pick<Caller, 'headers'>): boolean {
  return FORWARDED.some((name) => headers[name] !== undefined);
}

function nameIn(headers: IncomingMessage['headers']): Pick<Identity, 'name'> {
  const name = headers['x-sealion-operator'];
  return nameOf(typeof name === 'string' ? name : undefined);
}

function nameOf(name: string | undefined): Pick<Identity, 'name'> {
  const text = printable(name?.trim() ?? '').slice(0, NAME_LIMIT);
  return text === '' ? {} : { name: text };
}

function cookieOf(header: string): string | undefined {
  for (const pair of header.split(';')) {
    const [name, value] = pair.trim().split('=');
    if (name === COOKIE && value) return value;
  }
  return undefined;
}

function tooManyTries(retryAfterMs: number): Retryable {
  return new Retryable({
    code: 'too-many-tries',
    message: 'This address has sent too many wrong tokens.',
    advice: 'Wait, and send one of the tokens that admin.tokens names.',
    retryAfterMs,
  });
}
