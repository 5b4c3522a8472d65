import { Terminal } from '../protocols/errors.ts';
import type { SegmentRange } from '../protocols/payload/part.ts';
import type { PayloadPlan } from '../protocols/payload/plan.ts';
import { orAborted } from '../runtime/nats/abortable.ts';

/**
 * Cuts a stream into segments of its plan, each in memory of its own.
 * @param range those that the stream holds
 * @throws Terminal `payload-too-long` at the first byte beyond them, `payload-too-short` at an early end;
 * whatever the stream throws; Cancelled when the signal fires
 */
export async function* collectSegments(
  body: AsyncIterable<Uint8Array>,
  plan: PayloadPlan,
  range: SegmentRange,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const end = range.firstSegment + range.segmentCount;
  const nextSegment = () => (index < end ? Buffer.allocUnsafeSlow(plan.segment(index).length) : undefined);
  let index = range.firstSegment;
  let filled = 0;
  let segment = nextSegment();
  for await (const chunk of untilAborted(body, signal)) {
    for (let rest = chunk; rest.length > 0; ) {
      if (!segment) throw wrongSize('too-long', 'more', bytesOf(plan, range));
      const taken = rest.subarray(0, segment.length - filled);
      segment.set(taken, filled);
      filled += taken.length;
      rest = rest.subarray(taken.length);
      if (filled < segment.length) continue;
      yield segment;
      index += 1;
      filled = 0;
      segment = nextSegment();
    }
  }
  if (segment) {
    const received = (index - range.firstSegment) * plan.maxSegmentSize + filled;
    throw wrongSize('too-short', `only ${received}`, bytesOf(plan, range));
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

function bytesOf(plan: PayloadPlan, { firstSegment, segmentCount }: SegmentRange): number {
  const last = plan.segment(firstSegment + segmentCount - 1);
  return last.offset + last.length - firstSegment * plan.maxSegmentSize;
}

function wrongSize(code: string, received: string, expected: number): Terminal {
  return new Terminal({
    code: `payload-${code}`,
    message: `The client sent ${received} bytes; ${expected} were announced.`,
    advice: 'Send exactly the payload that the object was created for.',
    gatewayCode: 110008,
  });
}
