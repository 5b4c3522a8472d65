import type { IncomingMessage } from 'node:http';
import { Terminal } from '#protocols/errors';
import { hostName, isAddressOf, isLoopback } from '#runtime/http/hosts';

/** The parts of a request that the door checks. */
export type Caller = Pick<IncomingMessage, 'method' | 'url' | 'headers' | 'socket'>;

/**
 * Refuses requests from pages of other sites, since browsers let pages send requests to any address. Pages that point
 * their own name at this machine (DNS rebinding) are recognised by the host name, others by the headers that browsers
 * add.
 * @param hosts further accepted host names, in addition to loopback names and the address that was connected to
 * @throws Terminal `unknown-host`, `foreign-page`
 */
export function checkCaller({ headers, socket }: Caller, hosts: readonly string[]): void {
  const host = hostName(headers.host ?? '');
  if (host === undefined || !(isLoopback(host) || isAddressOf(socket, host) || hosts.includes(host))) {
    throw new Terminal({
      code: 'unknown-host',
      message: 'The admin server does not accept this host name.',
      advice: 'Use its address, or add the name to admin.hosts.',
    });
  }
  const site = headers['sec-fetch-site'] ?? 'none';
  const isOwn = headers.origin === undefined || isOwnOrigin(headers);
  if (isOwn && (site === 'none' || site === 'same-origin')) return;
  throw foreignPage();
}

/**
 * What a browser sends with a cookie must come from one of our own pages if it changes anything: the browser must say
 * so, since a cookie is sent along whoever made the request.
 * @throws Terminal `foreign-page`
 */
export function checkOwnPage({ headers }: Pick<Caller, 'headers'>): void {
  if (isOwnOrigin(headers) || headers['sec-fetch-site'] === 'same-origin') return;
  throw foreignPage();
}

/** A proxy in front of the server may have taken HTTPS off. */
function isOwnOrigin({ origin, host }: IncomingMessage['headers']): boolean {
  return origin === `http://${host}` || origin === `https://${host}`;
}

function foreignPage(): Terminal {
  return new Terminal({
    code: 'foreign-page',
    message: 'The admin server does not accept requests from pages of other sites.',
    advice: 'Open its address itself in the browser.',
  });
}
