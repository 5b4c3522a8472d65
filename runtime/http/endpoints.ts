import { lookup as systemLookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { Retryable } from '#protocols/errors';

/**
 * Parses the endpoint of a storage provider. The text was put on chain by another provider.
 * @returns undefined unless it is an http or https URL with nothing but host, port and path
 */
export function parseEndpoint(endpoint: string): URL | undefined {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') return undefined;
  if (url.username !== '' || url.password !== '') return undefined;
  url.search = '';
  url.hash = '';
  return url;
}

/** Restricts connections to hosts that come from others, such as the endpoints on chain. */
export interface Reach {
  /** @throws Retryable `private-endpoint` for a host that is an IP address, but not an allowed one */
  checkHost(hostname: string): void;
  /** Resolves a name, and returns only the allowed addresses. */
  readonly lookup: LookupFunction;
}

/**
 * Allows public addresses only, or private ones too. The address of each connection is checked, not the name, since a
 * name may resolve to another address the next time.
 */
export function reach(options: { readonly allowPrivate: boolean }): Reach {
  if (options.allowPrivate) return { checkHost: () => undefined, lookup: lookupLoopback };
  return {
    checkHost(hostname) {
      const address = hostname.replace(/^\[|\]$/g, '');
      if (isIP(address) !== 0 && !isPublic(address)) throw privateEndpoint(hostname);
    },
    lookup: (hostname, options, callback) => {
      const { family, hints, order } = options;
      lookupLoopback(hostname, { family, hints, order, all: true }, (error, found) => {
        if (error) return callback(error, '');
        const allowed = Array.isArray(found) ? found.filter(({ address }) => isPublic(address)) : [];
        const [first] = allowed;
        if (!first) return callback(privateEndpoint(hostname), '');
        if (options.all) return callback(null, allowed);
        callback(null, first.address, first.family);
      });
    },
  };
}

/** Resolves `*.localhost` to this machine, as RFC 6761 demands and not every resolver does. */
export const lookupLoopback: LookupFunction = (hostname, options, callback) => {
  if (!hostname.endsWith('.localhost')) return systemLookup(hostname, options, callback);
  if (options.all) return callback(null, [{ address: '127.0.0.1', family: 4 }]);
  callback(null, '127.0.0.1', 4);
};

/** Addresses that are not public: this machine, local networks, documentation, tunnels that embed another address. */
const RESERVED = new BlockList();
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  RESERVED.addSubnet(net, prefix);
}
for (const [net, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const) {
  RESERVED.addSubnet(net, prefix, 'ipv6');
}
/** The part of IPv6 that is allocated as public so far. */
const GLOBAL_IPV6 = new BlockList();
GLOBAL_IPV6.addSubnet('2000::', 3, 'ipv6');

/** True for addresses reached over the internet: not loopback, link-local, private or multicast. */
export function isPublic(address: string): boolean {
  if (isIP(address) === 4) return !RESERVED.check(address);
  return isIP(address) === 6 && GLOBAL_IPV6.check(address, 'ipv6') && !RESERVED.check(address, 'ipv6');
}

function privateEndpoint(host: string): Retryable {
  return new Retryable({
    code: 'private-endpoint',
    message: `The endpoint ${host} does not resolve to a public address, so this node does not connect to it.`,
    advice: 'In a private network, set peers.allowPrivateEndpoints.',
  });
}
