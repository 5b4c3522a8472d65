import {
  type Context,
  type Span as OtelSpan,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { Logger } from './logger.ts';
import { noSpan, readTraceparent, type Span, type SpanOptions, type Traces } from './traces.ts';

export interface TracesOptions {
  /** URL of a collector that accepts OTLP over HTTP, for example `http://127.0.0.1:4318/v1/traces`. */
  readonly endpoint: string;
  /** Share of traces that are recorded, 0 to 1; a caller's own decision has precedence. */
  readonly sampling: number;
  /** Name of the node, for example `sp-1@node-a`. */
  readonly node: string;
  readonly log: Logger;
}

export interface OpenTraces extends Traces {
  /** Sends what is left, in bounded time. */
  close(): Promise<void>;
}

/** Time limit for one export, ms. */
const EXPORT_MS = 5_000;
/** Spans that wait to be sent; further ones are dropped. */
const QUEUE = 2_048;

/** Records spans and sends them to a collector, OTLP as JSON over HTTP. The libraries for that are loaded here. */
export async function openTraces({ endpoint, sampling, node, log }: TracesOptions): Promise<OpenTraces> {
  const [sdk, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ]);
  const exporter = new OTLPTraceExporter({ url: endpoint, timeoutMillis: EXPORT_MS });
  const provider = new sdk.BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'sealion', 'service.instance.id': node }),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(sampling) }),
    spanProcessors: [
      new sdk.BatchSpanProcessor(exporter, { maxQueueSize: QUEUE, exportTimeoutMillis: EXPORT_MS }),
    ],
  });
  const tracer = provider.getTracer('sealion');
  log.info({ sampling }, 'traces are sent to the collector');
  return {
    on: true,
    root: (name, { parent, ...options }) => begin(tracer, name, contextOf(parent) ?? ROOT_CONTEXT, options),
    child(name, parent, options) {
      const context = contextOf(parent);
      return context ? begin(tracer, name, context, options) : noSpan();
    },
    close: () =>
      provider.shutdown().catch((error: unknown) => log.warn({ error }, 'the last spans were lost')),
  };
}

/** The context of whoever has this traceparent; undefined without a valid one. */
function contextOf(traceparent: string | undefined): Context | undefined {
  const parent = readTraceparent(traceparent);
  if (!parent) return undefined;
  const { traceId, spanId, flags } = parent;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: flags & 1, isRemote: true });
}

function begin(tracer: Tracer, name: string, context: Context, { attributes = {}, at }: SpanOptions): Span {
  const options = { kind: SpanKind.INTERNAL, attributes, ...(at !== undefined && { startTime: at }) };
  return open(tracer.startSpan(name, options, context));
}

function open(span: OtelSpan): Span {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return {
    traceparent: `00-${traceId}-${spanId}-${traceFlags & 1 ? '01' : '00'}`,
    rename: (name) => void span.updateName(name),
    set: (attributes) => void span.setAttributes(attributes),
    end({ error, at } = {}) {
      if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
      span.end(at);
    },
  };
}
