/**
 * The trace of a request through API, workflow and activity, as a port: what is told is an operation's name, ids without meaning to a
 * stranger, and codes. No text of an error, no token and nothing about a person may be handed in; nothing is told unless a process was
 * given an implementation.
 */

/** Closed sets and pseudonymous ids only. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanStart {
  readonly name: string;
  readonly kind: 'server' | 'client' | 'internal';
  /** W3C traceparent of what caused it; left out, the span under way, else a new trace begins. */
  readonly parent?: string | undefined;
  readonly attributes?: SpanAttributes;
}

export interface OpenSpan {
  /** What is handed on to the next process. */
  readonly traceparent: string;
  /** Makes it the span under way for what `work` calls and awaits. */
  within<T>(work: () => T): T;
  /** `failedWith`: the code of a fault of ours, never a refusal. */
  end(facts?: { readonly failedWith?: string; readonly attributes?: SpanAttributes }): void;
}

/** A span that has been lived through elsewhere, in a workflow's sandbox, where nothing can be exported. */
export interface PastSpan {
  readonly name: string;
  readonly parent: string;
  /** 16 hexadecimal digits: what hangs below it has named it already. */
  readonly spanId: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: SpanAttributes;
}

export interface Tracing {
  begin(start: SpanStart): OpenSpan;
  record(span: PastSpan): void;
  /** Sends what is still held. */
  close(): Promise<void>;
}

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** The name of the header that carries it, over HTTP and in Temporal (W3C Trace Context section 3.2). */
export const TRACE_HEADER = 'traceparent';

export interface TraceContext {
  readonly traceId: string;
  readonly spanId: string;
  /** Two hexadecimal digits; the last bit: it is kept. */
  readonly flags: string;
}

/** undefined for anything but version 00 as it is written by us: a stranger's header is no fault, it is just not followed. */
export function parseTraceparent(text: unknown): TraceContext | undefined {
  const [, traceId, spanId, flags] = typeof text === 'string' ? (TRACEPARENT.exec(text) ?? []) : [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  const isNothing = /^0+$/;
  return isNothing.test(traceId) || isNothing.test(spanId) ? undefined : { traceId, spanId, flags };
}

export function formatTraceparent({ traceId, spanId, flags }: TraceContext): string {
  return `00-${traceId}-${spanId}-${flags}`;
}
