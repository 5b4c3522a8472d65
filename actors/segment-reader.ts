import { Terminal } from '../protocols/errors.ts';
import type { PayloadPlan } from '../protocols/payload/plan.ts';
import { orAborted } from '../runtime/nats/abortable.ts';

/**
 * Cuts a stream into the segments of its plan, each in memory of its own.
 * @throws Terminal `payload-too-long` at the first byte beyond the plan, `payload-too-short` at an early end;
 * whatever the stream throws; Cancelled when the signal fires
 */
export async function* collectSegments(
  body: AsyncIterable<Uint8Array>,
  plan: PayloadPlan,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let index = 0;
  let filled = 0;
  let segment = nextSegment(plan, index);
  for await (const chunk of untilAborted(body, signal)) {
    for (let rest = chunk; rest.length > 0; ) {
      if (!segment) throw wrongSize(plan, 'too-long', `more than ${plan.payloadSize} bytes`);
      const taken = rest.subarray(0, segment.length - filled);
      segment.set(taken, filled);
      filled += taken.length;
      rest = rest.subarray(taken.length);
      if (filled < segment.length) continue;
      yield segment;
      index += 1;
      filled = 0;
      segment = nextSegment(plan, index);
    }
  }
  if (segment) {
    const received = index * plan.maxSegmentSize + filled;
    throw wrongSize(plan, 'too-short', `${received} of ${plan.payloadSize} bytes`);
  }
}

/** The stream's chunks, and no longer than the signal allows, whatever the stream waits for. */
async function* untilAborted<T>(stream: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const source = stream[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      const next = await orAborted(source.next(), signal);
      ended = next.done === true;
      if (ended) return;
      yield next.value;
    }
  } finally {
    // Nobody waits for its end: it may hang in the read that was given up, and its failure concerns nobody.
    if (!ended) source.return?.().catch(() => undefined);
  }
}

function nextSegment(plan: PayloadPlan, index: number): Uint8Array | undefined {
  if (index >= plan.segmentCount) return undefined;
  return Buffer.allocUnsafeSlow(plan.segment(index).length);
}

function wrongSize(plan: PayloadPlan, code: string, received: string): Terminal {
  return new Terminal({
    code: `payload-${code}`,
    message: `The client sent ${received}; the object has ${plan.payloadSize}.`,
    advice: 'Send exactly the payload that the object was created for.',
    gatewayCode: 110008,
  });
}
