import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { withoutMapping } from './hosts.ts';

/** The trusted proxies in front of a server, which name the client of each request that they forward. */
export class Proxies {
  readonly #trusted = new BlockList();

  /** @param networks addresses, and networks such as `10.0.0.0/8`; see `isNetwork` */
  constructor(networks: readonly string[] = []) {
    for (const network of networks) {
      const [address = '', prefix] = network.split('/');
      const type = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      if (prefix === undefined) this.#trusted.addAddress(address, type);
      else this.#trusted.addSubnet(address, Number(prefix), type);
    }
  }

  /** True when a connection from this address comes from one of the proxies. */
  has(address: string): boolean {
    const plain = withoutMapping(address);
    const version = isIP(plain);
    return version !== 0 && this.#trusted.check(plain, version === 6 ? 'ipv6' : 'ipv4');
  }

  /**
   * The address of a request's client: that of the connection or, if it comes from a proxy, the one in X-Forwarded-For.
   *
   * Each proxy appends the address of its peer to X-Forwarded-For. The header is therefore read from its end, and the
   * first address that is not a proxy's is the client's; everything before it was written by the client. `Forwarded`
   * and X-Real-IP are ignored, since a proxy that does not set them forwards those of the client.
   *
   * @returns undefined when the connection has already been closed
   */
  clientAddress({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): string | undefined {
    let address = socket.remoteAddress;
    if (address === undefined || !this.has(address)) return address;
    const forwarded = headers['x-forwarded-for'];
    // Node joins repeated lines of this header, although its type allows an array.
    const hops = (Array.isArray(forwarded) ? forwarded.join(',') : (forwarded ?? '')).split(',');
    for (const hop of hops.reverse()) {
      const said = addressOf(hop.trim());
      if (said === undefined) break;
      address = said;
      if (!this.has(said)) break;
    }
    return address;
  }
}

/** True for an IPv4 or IPv6 address, or a network in CIDR notation. */
export function isNetwork(text: string): boolean {
  const [address = '', prefix, ...more] = text.split('/');
  const version = isIP(address);
  if (version === 0 || address.includes('%') || more.length > 0) return false;
  return (
    prefix === undefined || (/^[0-9]{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128))
  );
}

/** The address of a hop, without the client's port that some proxies add. */
function addressOf(hop: string): string | undefined {
  const address =
    /^\[([^\]]*)\](?::[0-9]{1,5})?$/.exec(hop)?.[1] ?? hop.replace(/^([0-9.]+):[0-9]{1,5}$/, '$1');
  return isIP(address) === 0 ? undefined : address;
}
