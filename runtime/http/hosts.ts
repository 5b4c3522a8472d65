import { isIP, type Socket } from 'node:net';

/**
 * The name or address in a Host header or a URL's authority: in lower case, without the port and the brackets of IPv6.
 * Undefined when there is none, or when there is anything else (a user, a path).
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
 * True when a host is the local address of the connection, or means the loopback interface and the connection uses
 * that. Nobody else's name can be such a host.
 */
export function isAddressOf({ localAddress }: Pick<Socket, 'localAddress'>, host: string): boolean {
  const local = localAddress?.replace(/^::ffff:/, '') ?? '';
  return host === local || (isLoopback(host) && isLoopback(local));
}

/** An IPv4 address as itself where it is written as one of IPv6, as a socket for both writes it. */
export function withoutMapping(address: string): string {
  return address.replace(/^::ffff:(?=[0-9.]+$)/i, '');
}

/** The key by which a client's address is counted: for IPv6 its network, since a client has all addresses of one. */
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
