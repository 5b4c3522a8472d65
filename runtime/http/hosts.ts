import { isIP, type Socket } from 'node:net';

/**
 * The name or address in a Host header or a URL's authority: in lower case, without the port and the brackets of IPv6.
 * Undefined when it is missing, or when the text contains anything else (a user, a path).
 */
export function hostName(header: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+))(?::[0-9]{1,5})?$/.exec(header.toLowerCase());
  return match?.[1] ?? match?.[2];
}

/** True for `localhost` and addresses of the loopback interface, but not for names below `localhost`. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/**
 * True when a host is the local address of the connection, or a loopback name on a loopback connection. Such a host
 * cannot be a name that belongs to somebody else.
 */
export function isAddressOf({ localAddress }: Pick<Socket, 'localAddress'>, host: string): boolean {
  const local = localAddress?.replace(/^::ffff:/, '') ?? '';
  return host === local || (isLoopback(host) && isLoopback(local));
}

/** Converts an IPv4-mapped IPv6 address, as a dual-stack socket reports it, to IPv4; returns others unchanged. */
export function withoutMapping(address: string): string {
  return address.replace(/^::ffff:(?=[0-9.]+$)/i, '');
}

/** The key for limits per client: the address, or for IPv6 its network, all of whose addresses a client can use. */
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
