/**
 * What the SDK finds in a browser or on a well-kept machine, and Node on a bare Debian has not. For
 * `node --import`, before anything else is loaded.
 */
import dns from 'node:dns';
import http from 'node:http';
import { Readable } from 'node:stream';

/** Names below localhost are this machine (RFC 6761); not every resolver knows. */
const { lookup } = dns;
dns.lookup = (hostname, ...rest) =>
  lookup(/(^|\.)localhost$/i.test(hostname) ? '127.0.0.1' : hostname, ...rest);

/** A page has an origin, and the browser sends it along. */
globalThis.origin = 'http://app.localhost:3000';
const { request } = http;
http.request = (options, ...rest) =>
  request({ ...options, headers: { Origin: globalThis.origin, ...options.headers } }, ...rest);

/** The SDK's fetch pipes what a Blob streams, which is a Node stream nowhere but in its own polyfill. */
ReadableStream.prototype.pipe = function (destination) {
  return Readable.fromWeb(this).pipe(destination);
};
