import type { Context, MiddlewareHandler } from 'hono';
import { Terminal } from '#protocols/errors';
import { Proxies } from '#runtime/http/proxies';
import { checkCaller } from './callers.ts';
import type { AdminEnv } from './env.ts';
import { SECURITY_HEADERS } from './headers.ts';
import { type Identifier, isForwarded } from './identify.ts';
import type { AdminRole } from './tokens.ts';

export interface DoorOptions {
  readonly identifier: Identifier;
  /** Accepted host names, in addition to loopback names and the address that was connected to. */
  readonly hosts: readonly string[];
  /** Networks whose machines may ask for health and metrics without a token. */
  readonly probes: readonly string[];
}

/** What load balancers and Prometheus ask for. */
const PROBES: ReadonlySet<string> = new Set(['/health', '/ready', '/metrics']);
const LOGIN = '/login';
/** What the page of the login needs to be shown. */
const ASSETS = '/assets/';

/**
 * Lets nobody in but those who may: refuses foreign hosts and pages, finds out who asks, and sets the headers of the
 * answer. Everything needs the role `view`; what acts asks for more by `requireRole`.
 */
export function door({ identifier, hosts, probes }: DoorOptions): MiddlewareHandler<AdminEnv> {
  const networks = new Proxies(probes);
  return async (c, next) => {
    const { incoming } = c.env;
    checkCaller(incoming, hosts);
    const { path } = c.req;
    const isNear = networks.has(incoming.socket.remoteAddress ?? '') && !isForwarded(incoming);
    const isProbe = PROBES.has(path) && isNear;
    const needsNothing = isProbe || path === LOGIN || path.startsWith(ASSETS);
    if (!needsNothing) {
      const identity = identifier.identify(incoming);
      if (!identity) return toLogin(c);
      c.set('identity', identity);
    }
    await next();
    return undefined;
  };
}

/** The headers are set on errors too. */
export const secured: MiddlewareHandler<AdminEnv> = async (c, next) => {
  await next();
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) c.header(name, value);
  if (!c.res.headers.has('Cache-Control')) c.header('Cache-Control', 'no-store');
};

/** @throws Terminal `role-missing` */
export function requireRole(role: AdminRole): MiddlewareHandler<AdminEnv> {
  return async (c, next) => {
    const own = c.get('identity')?.role;
    if (own !== 'act' && own !== role) {
      throw new Terminal({
        code: 'role-missing',
        message: `This needs the role "${role}", which your token does not give.`,
        advice: 'Use the token that admin.tokens.act names.',
      });
    }
    await next();
  };
}

/** Whether a person looks at the answer in a browser. Addresses for machines always answer with data. */
export function wantsPage(c: Context<AdminEnv>): boolean {
  const { path } = c.req;
  return (
    /\btext\/html\b/.test(c.req.header('accept') ?? '') && !path.startsWith('/api/') && !PROBES.has(path)
  );
}

/** A browser is shown the login, everybody else an error. */
function toLogin(c: Context<AdminEnv>): Response {
  if (c.req.method === 'GET' && wantsPage(c)) {
    const { pathname, search } = new URL(c.req.url);
    return c.redirect(`${LOGIN}?next=${encodeURIComponent(`${pathname}${search}`)}`, 303);
  }
  throw new Terminal({
    code: 'token-missing',
    message: 'The admin server answers only with a token.',
    advice: 'Send "Authorization: Bearer" with a token that admin.tokens names, or open /login in a browser.',
  });
}
