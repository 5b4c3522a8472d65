import { toSealionError } from '#protocols/errors';

/**
 * Traces of objects: a span for each step of an upload, on every node and SP that takes part, under one trace id. Callers
 * know only this file; what records and sends spans is loaded when it is configured (`openTraces`).
 *
 * The context of a trace travels as a W3C `traceparent`: in the header of that name over HTTP and NATS, and in the event
 * of the journal with which an upload begins, so that whoever takes a job over continues its trace.
 */
export interface Traces {
  /** False when nothing is ever recorded. */
  readonly on: boolean;
  /** A span that begins a trace, or continues that of a caller. @param parent a traceparent, of anybody */
  root(name: string, options: SpanOptions & { readonly parent?: string | undefined }): Span;
  /** A span within a trace; without a trace it records nothing. @param parent a traceparent */
  child(name: string, parent: string | undefined, options: SpanOptions): Span;
}

export interface SpanOptions {
  readonly attributes?: Attributes;
  /** Unix ms; now by default. */
  readonly at?: number;
}

/** Never a key, a token, a signature or payload. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface Span {
  /** Of this span, for its children; undefined when it records nothing and there is no trace. */
  readonly traceparent: string | undefined;
  rename(name: string): void;
  set(attributes: Attributes): void;
  /** @param end.error the code of the error with which it ended; `end.at` unix ms, now by default. Later calls do nothing */
  end(end?: { readonly error?: string | undefined; readonly at?: number }): void;
}

/** Name of the header, in HTTP and NATS. */
export const TRACEPARENT = 'traceparent';

const FORM = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** The parts of a traceparent of version 00; undefined for anything else. */
export function readTraceparent(
  text: string | undefined,
): { readonly traceId: string; readonly spanId: string; readonly flags: number } | undefined {
  const [, traceId, spanId, flags] = FORM.exec(text ?? '') ?? [];
  if (!traceId || !spanId || !flags || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, flags: Number.parseInt(flags, 16) };
}

/** A span that records nothing, and passes on the trace that it is in. */
export function noSpan(traceparent?: string): Span {
  return traceparent === undefined ? NOTHING : { ...NOTHING, traceparent };
}

/** Ends a span with the outcome of what it is about. */
export async function ended<T>(span: Span, work: Promise<T>): Promise<T> {
  try {
    const result = await work;
    span.end();
    return result;
  } catch (error) {
    span.end({ error: toSealionError(error).code });
    throw error;
  }
}

const NOTHING: Span = {
  traceparent: undefined,
  rename: () => undefined,
  set: () => undefined,
  end: () => undefined,
};

/** Records nothing. */
export const noTraces: Traces = { on: false, root: () => NOTHING, child: () => NOTHING };
