import { isIP, type Socket } from 'node:net';

/**
 * The name or address in a Host header or a URL's authority: lower case, without port and the brackets of IPv6.
 * Undefined where it holds none, or anything besides (a user, a path).
 */
export function hostName(header: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+))(?::[0-9]{1,5})?$/.exec(header.toLowerCase());
  return match?.[1] ?? match?.[2];
}

/** `localhost` and addresses of the loopback interface; names below `localhost` are not among them. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/**
 * True when a host is the address at which this connection came in, or means the loopback interface and the
 * connection came in there: no name of somebody else's can be that.
 */
export function isAddressOf({ localAddress }: Pick<Socket, 'localAddress'>, host: string): boolean {
  const local = localAddress?.replace(/^::ffff:/, '') ?? '';
  return host === local || (isLoopback(host) && isLoopback(local));
}

/** An IPv4 address as itself where it is written as one of IPv6, as a socket for both writes it. */
export function withoutMapping(address: string): string {
  return address.replace(/^::ffff:(?=[0-9.]+$)/i, '');
}

/** Whom a remote address stands for: of an IPv6 address the network, since a client has all addresses of one. */
export function clientOf(address: string): string {
  const mapped = withoutMapping(address);
  if (!mapped.includes(':')) return mapped;
  const [head = '', tail] = mapped.replace(/%.*$/, '').split('::');
  const groups = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? 0 : tail.split(':').length;
  const zeros = tail === undefined ? 0 : 8 - groups.length - after;
  const all = [...groups, ...Array<string>(Math.max(0, zeros)).fill('0'), ...(tail ? tail.split(':') : [])];
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
