/**
 * Traces by OpenTelemetry, sent to a collector over OTLP. Loaded only when there is one: a process without it carries none of this. Nothing but
 * names, ids and codes leaves: no error messages, no events, no baggage, no attributes that a library would add, no host name.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Context, SpanContext } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  RandomIdGenerator,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { IdGenerator } from '@opentelemetry/sdk-trace';
import { formatTraceparent, parseTraceparent } from '../domain/tracing.ts';
import type { OpenSpan, PastSpan, SpanStart, Tracing } from '../domain/tracing.ts';

const EXPORT_EVERY_MS = 1_000;
/** A collector that is slow must not hold spans for ever, nor an end of the process. */
const EXPORT_TIMEOUT_MS = 3_000;
/** Above it spans are dropped: watching must not eat the memory of those who work. */
const MAX_HELD_SPANS = 4_096;

const KINDS = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  internal: SpanKind.INTERNAL,
} as const satisfies Record<SpanStart['kind'], SpanKind>;

export interface TracingOptions {
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly ratio: number;
  readonly serviceName: string;
  readonly instance: string;
}

/** Spans of workflows have named themselves: theirs is the next id. */
class NamedIds implements IdGenerator {
  readonly #random = new RandomIdGenerator();
  next: string | undefined;

  generateTraceId(): string {
    return this.#random.generateTraceId();
  }

  generateSpanId(): string {
    const { next } = this;
    this.next = undefined;
    return next ?? this.#random.generateSpanId();
  }
}

export function createTracing(options: TracingOptions): Tracing {
  const ids = new NamedIds();
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': options.serviceName,
      'service.instance.id': options.instance,
    }),
    idGenerator: ids,
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(options.ratio) }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new OTLPTraceExporter({
          url: `${options.endpoint}/v1/traces`,
          headers: { ...options.headers },
          timeoutMillis: EXPORT_TIMEOUT_MS,
        }),
        scheduledDelayMillis: EXPORT_EVERY_MS,
        exportTimeoutMillis: EXPORT_TIMEOUT_MS,
        maxQueueSize: MAX_HELD_SPANS,
      }),
    ],
  });
  const tracer = provider.getTracer('latchkey');
  const underWay = new AsyncLocalStorage<Context>();
  return {
    begin({ name, kind, parent, attributes = {} }: SpanStart): OpenSpan {
      const above = below(parent) ?? underWay.getStore() ?? ROOT_CONTEXT;
      const span = tracer.startSpan(name, { kind: KINDS[kind], attributes }, above);
      return {
        traceparent: written(span.spanContext()),
        within: (work) => underWay.run(trace.setSpan(above, span), work),
        end({ failedWith, attributes: later } = {}) {
          if (later !== undefined) span.setAttributes(later);
          if (failedWith !== undefined) {
            span.setAttribute('code', failedWith);
            span.setStatus({ code: SpanStatusCode.ERROR });
          }
          span.end();
        },
      };
    },
    record({ name, parent, spanId, startMs, endMs, attributes }: PastSpan) {
      const above = below(parent);
      if (above === undefined) return;
      ids.next = spanId;
      const start = { kind: SpanKind.INTERNAL, attributes, startTime: startMs };
      const span = tracer.startSpan(name, start, above);
      // One that is not kept asked for no id.
      ids.next = undefined;
      span.end(endMs);
    },
    close: () => provider.shutdown(),
  };
}

function below(parent: string | undefined): Context | undefined {
  const found = parseTraceparent(parent);
  if (found === undefined) return undefined;
  const { traceId, spanId, flags } = found;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & 1,
    isRemote: true,
  });
}

function written({ traceId, spanId, traceFlags }: SpanContext): string {
  return formatTraceparent({ traceId, spanId, flags: traceFlags.toString(16).padStart(2, '0') });
}
