import { setTimeout as sleep } from 'node:timers/promises';
import type { MiddlewareHandler } from 'hono';
import { Retryable } from '#protocols/errors';
import { clientOf } from '#runtime/http/hosts';
import { TokenBuckets } from '#runtime/load/token-buckets';
import type { Logger } from '#runtime/telemetry/logger';
import { noSizes, watchItems } from '#runtime/telemetry/sizes';
import type { GatewayLimits } from '../limits.ts';
import { type ClientShare, clientGone, type GatewayEnv } from './context.ts';

/** Size of a burst, in seconds of the client's rate. */
const BURST_S = 5;
/** Minimum time between two log lines about refusals, ms. */
const REPORT_EVERY_MS = 10_000;
/** Interval of checking whether a waiting client has closed its side, ms. */
const LOOK_EVERY_MS = 1_000;

/**
 * Limits the requests and bytes per second of each client address and each signing account.
 * @throws Retryable 429/960001, as today's providers
 */
export function clientRates(
  { perClient }: GatewayLimits,
  log: Logger,
  sizes = noSizes,
): MiddlewareHandler<GatewayEnv> {
  const { requestsPerSecond, bytesPerSecond } = perClient;
  const requests = new TokenBuckets({ perSecond: requestsPerSecond, burst: BURST_S * requestsPerSecond });
  const bytes = new TokenBuckets({ perSecond: bytesPerSecond, burst: BURST_S * bytesPerSecond });
  watchItems(sizes, 'clients_by_requests', requests);
  watchItems(sizes, 'clients_by_bytes', bytes);
  const refused = { count: 0, reportedAt: Number.NEGATIVE_INFINITY };
  const take = (key: string, c: Parameters<MiddlewareHandler<GatewayEnv>>[0]) => {
    const retryAfterMs = requests.take(key);
    if (retryAfterMs === 0) return;
    c.get('record').unlogged = true;
    refused.count += 1;
    if (performance.now() - refused.reportedAt > REPORT_EVERY_MS) {
      log.warn({ requests: refused.count, client: key }, 'refused requests of clients over their rate');
      refused.count = 0;
      refused.reportedAt = performance.now();
    }
    throw tooMany(retryAfterMs);
  };
  return async (c, next) => {
    const { client } = c.get('record');
    const keys = client === undefined ? [] : [clientOf(client)];
    for (const key of keys) take(key, c);
    c.set('share', {
      names: keys,
      admit(accounts) {
        const others = accounts.filter((account) => !keys.includes(account));
        keys.push(...others);
        for (const account of others) take(account, c);
      },
      async pace(length, signal) {
        let wait = Math.max(0, ...keys.map((key) => bytes.charge(key, length)));
        for (; wait > 0 && !c.env?.incoming?.socket.readableEnded; wait -= LOOK_EVERY_MS) {
          await sleep(Math.min(wait, LOOK_EVERY_MS), undefined, { signal });
        }
        return wait <= 0;
      },
    });
    await next();
  };
}

/**
 * Passes on what a client sends, at most at its rate; the delay does not count as the client's fault. When the client
 * has closed its side, everything has arrived and is passed on without delay.
 */
export async function* pacedUpload(
  chunks: AsyncIterable<Uint8Array>,
  share: ClientShare,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) {
    await share.pace(chunk.length, signal);
    yield chunk;
  }
}

/**
 * Passes on what a client gets, at most at its rate. While nothing is sent, a client that has closed its side cannot be
 * distinguished from one that has left; so a client over its rate that does so counts as gone, and does not keep its
 * slot.
 * @throws Cancelled `client-gone`
 */
export async function* pacedDownload(
  chunks: AsyncIterable<Uint8Array>,
  share: ClientShare,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) {
    if (!(await share.pace(chunk.length, signal))) throw clientGone();
    yield chunk;
  }
}

function tooMany(retryAfterMs: number): Retryable {
  return new Retryable({
    code: 'too-many-requests',
    message: 'This client exceeds its rate of requests.',
    advice: 'Send fewer requests per second.',
    gatewayCode: 960001,
    retryAfterMs,
  });
}
