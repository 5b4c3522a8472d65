import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { withoutMapping } from './hosts.ts';

/** The proxies in front of a server, which say whose requests they pass on. */
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

  /** True for the address of a connection that a proxy has made. */
  has(address: string): boolean {
    const plain = withoutMapping(address);
    const version = isIP(plain);
    return version !== 0 && this.#trusted.check(plain, version === 6 ? 'ipv6' : 'ipv4');
  }

  /**
   * The address that a request comes from: that of the connection, or the one that our proxies say.
   *
   * Each proxy appends to X-Forwarded-For whom it was connected by, so it is read from its end, and the first address
   * that is not a proxy's is the client's; whatever stands before it the client has written. `Forwarded` and
   * X-Real-IP count for nothing: a proxy that does not write them passes on what a client has written there.
   *
   * @returns undefined when the connection is closed already
   */
  clientAddress({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): string | undefined {
    let address = socket.remoteAddress;
    if (address === undefined || !this.has(address)) return address;
    const forwarded = headers['x-forwarded-for'];
    // Node joins the lines of a header; the types do not know it of this one.
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

/** True for an address of IPv4 or IPv6, or a network of such in CIDR notation. */
export function isNetwork(text: string): boolean {
  const [address = '', prefix, ...more] = text.split('/');
  const version = isIP(address);
  if (version === 0 || address.includes('%') || more.length > 0) return false;
  return (
    prefix === undefined || (/^[0-9]{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128))
  );
}

/** Some proxies write the port of the client too. */
function addressOf(hop: string): string | undefined {
  const address =
    /^\[([^\]]*)\](?::[0-9]{1,5})?$/.exec(hop)?.[1] ?? hop.replace(/^([0-9.]+):[0-9]{1,5}$/, '$1');
  return isIP(address) === 0 ? undefined : address;
}
