import { headers, type MsgHdrs } from '@nats-io/nats-core';
import { readTraceparent, TRACEPARENT } from '../../telemetry/traces.ts';

/** Traceparents in one message: 2 KiB of the room for headers. The trace of what comes behind them ends here. */
const MAX_TRACES = 32;

/** Headers with the traceparent of each thing in a message, in their order. */
export function traceHeaders(traces: readonly (string | undefined)[]): MsgHdrs {
  const all = headers();
  const text = traces.slice(0, MAX_TRACES).map((trace) => trace ?? '');
  all.set(TRACEPARENT, text.join(','));
  return all;
}

/** The valid traceparents of a message, in their order; undefined where there is none. */
export function tracesOf(all: MsgHdrs | undefined): readonly (string | undefined)[] {
  const text = all?.get(TRACEPARENT);
  if (!text) return [];
  return text
    .split(',', MAX_TRACES)
    .map((trace) => (readTraceparent(trace) === undefined ? undefined : trace));
}
