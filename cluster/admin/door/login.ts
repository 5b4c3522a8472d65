import { type Context, Hono } from 'hono';
import { setCookie } from 'hono/cookie';
import { Terminal, toSealionError } from '#protocols/errors';
import { checkOwnPage } from './callers.ts';
import type { AdminEnv } from './env.ts';
import type { Identifier } from './identify.ts';
import { COOKIE, type Identity, SESSION_MS, sessionCookie } from './session.ts';
import type { Tokens } from './tokens.ts';

/** A form of the login has two short fields. */
const FORM_LIMIT = 4_096;

/**
 * `POST /login` with the fields `token` and, for the record of actions, `name`: sets the cookie of a session and leads
 * on to the page `next`. `POST /logout` removes it. The form itself is one of the pages.
 */
export function login(identifier: Identifier, tokens: Tokens): Hono<AdminEnv> {
  const app = new Hono<AdminEnv>();
  app.post('/login', async (c) => {
    const { incoming } = c.env;
    checkOwnPage(incoming);
    const { token = '', name, next } = await form(c.req.raw);
    const identity = orPage(c, () => identifier.login(incoming, token.trim(), { ...(name && { name }) }));
    if (!identity) return c.redirect(`/login?failed&next=${encodeURIComponent(ownPath(next))}`, 303);
    setCookie(c, COOKIE, sessionCookie(identity, tokens, Date.now()), cookieOptions(SESSION_MS));
    return c.redirect(ownPath(next), 303);
  });
  app.post('/logout', (c) => {
    setCookie(c, COOKIE, '', cookieOptions(0));
    return c.redirect('/login', 303);
  });
  return app;
}

/**
 * A browser is shown the page of the login again, which says that the token was wrong.
 * @returns undefined then
 * @throws as `login`, for everybody else
 */
function orPage(c: Context<AdminEnv>, login: () => Identity): Identity | undefined {
  try {
    return login();
  } catch (error) {
    const { code } = toSealionError(error);
    const isAboutToken = code === 'wrong-token' || code === 'too-many-tries';
    if (isAboutToken && /\btext\/html\b/.test(c.req.header('accept') ?? '')) return undefined;
    throw error;
  }
}

function cookieOptions(maxAgeMs: number) {
  return { httpOnly: true, sameSite: 'Strict', path: '/', maxAge: maxAgeMs / 1_000 } as const;
}

/** @throws Terminal `bad-request` */
async function form(request: Request): Promise<Readonly<Record<string, string>>> {
  const length = Number(request.headers.get('content-length') ?? Number.NaN);
  if (!(length <= FORM_LIMIT)) {
    throw new Terminal({ code: 'bad-request', message: 'This is not the form of the login.' });
  }
  return Object.fromEntries(new URLSearchParams(await request.text()));
}

/** A page of ours; never one of another site. */
function ownPath(next = '/'): string {
  return /^\/(?![/\\])[\x21-\x7e]*$/.test(next) ? next : '/';
}
