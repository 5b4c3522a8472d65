import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';

/** `*.localhost` is this machine by RFC 6761, which not every resolver knows. */
export const lookupLoopback: LookupFunction = (hostname, options, callback) => {
  if (!hostname.endsWith('.localhost')) return systemLookup(hostname, options, callback);
  if (options.all) return callback(null, [{ address: '127.0.0.1', family: 4 }]);
  callback(null, '127.0.0.1', 4);
};
