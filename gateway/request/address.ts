import { Terminal } from '#protocols/errors';
import { checkBucketName, checkObjectName } from '#protocols/greenfield/names';
import { parseQuery, percentDecode, splitTarget } from '#protocols/greenfield/request-target';
import { hostName } from '#runtime/http/hosts';

/** The target of a request: what its Host header and request line say. */
export interface Target {
  /** With the port if there is one, as the client wrote it. */
  readonly host: string;
  /** Path and query in origin form. */
  readonly line: string;
  /** Percent-encoded as the client sent it, from the first `/`. */
  readonly path: string;
  /** The part of the query that is signed, decoded; the rest is ignored. */
  readonly query: URLSearchParams;
}

/** The bucket and object that a request names; empty strings if it names none. */
export interface Address {
  readonly bucket: string;
  readonly object: string;
  /** One of Greenfield's own paths, without the first `/`; `view` or `download` for those that name an object. */
  readonly service?: string;
}

/**
 * Reads the target of a request line. The raw text counts, not a parsed URL: URL parsers resolve `/../`, and the client
 * signed what it sent. The host is the one that must be signed: that of a target in absolute form, whatever the Host
 * header says (RFC 9112 §3.2.2).
 * @param requestTarget in origin form (`/a?b`) or, through a proxy, in absolute form (`http://host/a?b`)
 */
export function readTarget(host: string, requestTarget: string): Target {
  const [absolute = '', authority = host] = /^https?:\/\/([^/?]*)/i.exec(requestTarget) ?? [];
  const origin = requestTarget.slice(absolute.length);
  const line = origin.startsWith('/') ? origin : `/${origin}`;
  const { path, query } = splitTarget(line);
  return { host: authority, line, path, query: new URLSearchParams(parseQuery(query)) };
}

/** Greenfield's own paths (protocols/greenfield/README.md#gateway-routes); in path style they name no bucket. */
const FIXED_PATHS =
  /^(?:auth\/(?:request_nonce|update_key|update_key_v2|keys_v2|delete_keys_v2)$|permission\/[^/]+\/[^/]+\/[^/]+$|greenfield\/(?:admin|receiver|recovery|migrate)\/|status$)/;

/** Links that work at every provider; the object is in the path, or in `objectPath` if a proxy would change it. */
const UNIVERSAL_PATH = /^(view|download)(?:\/(.*))?$/s;

/**
 * The bucket and object that a request names, as `locate` finds them.
 * @throws Terminal 400/90007 or 400/50044 for a bucket or object name that no chain accepts, 400/50010 for a path
 * that cannot be decoded
 */
export function readAddress(target: Target, domains: readonly string[]): Address {
  const address = locate(target, domains);
  if (!address) throw badPath();
  if (address.bucket !== '') checkBucketName(address.bucket);
  if (address.object !== '') checkObjectName(address.object);
  return address;
}

/**
 * Virtual-host style (`{bucket}.{domain}/{object}`) when the host lies under one of our domains, else path style
 * (`/{bucket}/{object}`). Object names keep their `/`.
 * @param domains lower case, without port
 * @returns the names unchecked; undefined for a path that cannot be decoded
 */
export function locate(target: Target, domains: readonly string[]): Address | undefined {
  const path = percentDecode(target.path.slice(1));
  if (path === undefined) return undefined;
  const host = hostName(target.host) ?? '';
  const domain = domains.find((candidate) => host.endsWith(`.${candidate}`));
  if (domain !== undefined) return { bucket: host.slice(0, -domain.length - 1), object: path };
  if (FIXED_PATHS.test(path)) return { bucket: '', object: '', service: path };
  const [, service, name] = UNIVERSAL_PATH.exec(path) ?? [];
  if (service === undefined) return split(path);
  return { ...split(name || (target.query.get('objectPath') ?? '')), service };
}

function split(path: string): Address {
  const slash = path.indexOf('/');
  return slash < 0
    ? { bucket: path, object: '' }
    : { bucket: path.slice(0, slash), object: path.slice(slash + 1) };
}

function badPath(): Terminal {
  return new Terminal({
    code: 'bad-path',
    message: 'The path of the request is not percent-encoded UTF-8.',
    advice: 'Percent-encode the UTF-8 bytes of the object name.',
    gatewayCode: 50010,
  });
}
