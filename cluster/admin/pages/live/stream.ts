import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from 'hono';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import { Retryable } from '#protocols/errors';
import type { AdminEnv } from '../../door/env.ts';
import type { View } from '../view.ts';
import { changesBetween } from './change.ts';
import { Fragments } from './fragments.tsx';

/** Pages that one node keeps up to date at a time. */
const MAX_STREAMS = 64;
/** Time between two looks at the data, ms; longer when looking takes long, so that it never takes much of the node. */
const EVERY_MS = 1_000;
const SHARE = 10;
/** What shows that the connection still works, ms. */
const HEARTBEAT_MS = 15_000;
/** Then the browser connects again, and is asked for its session again; ms. */
const LIFETIME_MS = 30 * 60_000;

/** Sends the changes of pages as server-sent events, as long as each is open. */
export class LiveStreams {
  #open = 0;

  /**
   * @param look reads the data of the page, and says how it looks now
   * @throws Retryable `too-many-calls`
   */
  answer(c: Context<AdminEnv>, look: (signal: AbortSignal) => Promise<View>): Response {
    if (this.#open >= MAX_STREAMS) throw tooMany();
    this.#open += 1;
    return streamSSE(c, async (stream) => {
      const gone = new AbortController();
      stream.onAbort(() => gone.abort());
      const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(LIFETIME_MS)]);
      try {
        await follow(stream, look, signal);
      } catch (error) {
        // What could not be read is tried again when the browser connects again, which it does by itself.
        if (!signal.aborted) await stream.writeSSE({ event: 'failed', data: String(error) });
      } finally {
        this.#open -= 1;
      }
    });
  }
}

async function follow(
  stream: SSEStreamingApi,
  look: (signal: AbortSignal) => Promise<View>,
  signal: AbortSignal,
): Promise<void> {
  let before: Fragments | undefined;
  let lastSent = performance.now();
  while (!signal.aborted) {
    const view = await look(signal);
    const begin = performance.now();
    const now = new Fragments();
    String(view.body(now));
    const change = changesBetween(before, now, Date.now());
    before = now;
    if (change) await stream.writeSSE({ event: 'change', data: JSON.stringify(change) });
    else if (begin - lastSent > HEARTBEAT_MS) await stream.writeSSE({ event: 'alive', data: '' });
    const end = performance.now();
    if (change || begin - lastSent > HEARTBEAT_MS) lastSent = end;
    await sleep(Math.max(EVERY_MS, SHARE * (end - begin)), undefined, { signal });
  }
}

function tooMany(): Retryable {
  return new Retryable({
    code: 'too-many-calls',
    message: `This node keeps ${MAX_STREAMS} open pages up to date, which is as many as it may.`,
    advice: 'Close some, or open the pages of another node.',
  });
}
