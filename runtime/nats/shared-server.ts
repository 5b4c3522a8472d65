import { compare, parseSemVer } from '@nats-io/nats-core/internal';
import { Terminal } from '#protocols/errors';

/**
 * Since this version only the system account may erase an account's streams, remove a server from JetStream, or move
 * streams (CVE-2025-30215, GHSA-fhg8-qxh5-7q3w); 2.11.0 was released before the fix.
 */
const SAFE_SINCE = '2.10.27';
const UNSAFE_AGAIN = { from: '2.11.0', before: '2.11.1' };

/** True when accounts on one server of this version are safe from each other. */
export function isolatesAccounts(serverVersion: string): boolean {
  const version = parseSemVer(release(serverVersion));
  const is = (least: string) => compare(version, parseSemVer(release(least))) >= 0;
  return is(SAFE_SINCE) && !(is(UNSAFE_AGAIN.from) && !is(UNSAFE_AGAIN.before));
}

/**
 * Checks a server that several SPs share. Permissions alone are not enough there: an account may send a request with
 * the reply subject of a message in its own stream.
 * @throws Terminal `nats-server-unsafe`
 */
export function checkSharedServer(serverVersion: string): void {
  if (isolatesAccounts(serverVersion)) return;
  throw new Terminal({
    code: 'nats-server-unsafe',
    message: `nats-server ${serverVersion} lets any account delete the streams of any other, and nats.home.shared says that others have accounts on it.`,
    advice: `Upgrade it to ${SAFE_SINCE}, or to 2.11.1 or later; or give this SP its own server and set shared: false.`,
  });
}

/** Counts a pre-release as the release before it. */
function release(version: string): string {
  return version.replace(/-.*/, '');
}
