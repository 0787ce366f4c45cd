/**
 * Hands the trace that came with a start or an update on to the activities that follow from it. It is in the bundle of every worker, traced or
 * not, so that the build id says nothing of tracing; without the header it does nothing at all. It must never add a command, a timer or
 * randomness: span ids follow from the run and the update, and spans leave through a sink.
 */
import { defaultPayloadConverter } from '@temporalio/common';
import { AsyncLocalStorage, proxySinks, workflowInfo } from '@temporalio/workflow';
import type { Headers, Sinks, WorkflowInterceptors } from '@temporalio/workflow';
import { formatTraceparent, parseTraceparent, TRACE_HEADER } from '../domain/tracing.ts';
import type { PastSpan, TraceContext } from '../domain/tracing.ts';

interface TraceSinks extends Sinks {
  latchkeyTrace: { record(span: PastSpan): void };
}

interface Traced {
  readonly context: TraceContext;
  readonly parent: string;
}

const { latchkeyTrace } = proxySinks<TraceSinks>();

export function interceptors(): WorkflowInterceptors {
  const underWay = new AsyncLocalStorage<TraceContext>();
  const withTrace = <I extends { readonly headers: Headers }>(input: I): I => {
    const context = underWay.getStore();
    if (context === undefined) return input;
    const header = defaultPayloadConverter.toPayload(formatTraceparent(context));
    return { ...input, headers: { ...input.headers, [TRACE_HEADER]: header } };
  };
  return {
    inbound: [
      {
        execute(input, next) {
          const { workflowType, runId } = workflowInfo();
          const traced = traceOf(input.headers, `run/${runId}`);
          if (traced === undefined) return next(input);
          // At once, so that what hangs below it is never without it: the workflow may last for weeks.
          record(traced, `workflow ${workflowType}`, Date.now());
          return underWay.run(traced.context, () => next(input));
        },
        handleUpdate(input, next) {
          const { runId } = workflowInfo();
          const traced = traceOf(input.headers, `update/${runId}/${input.updateId}`);
          if (traced === undefined) return next(input);
          const startMs = Date.now();
          const result = underWay.run(traced.context, () => next(input));
          const end = () => {
            record(traced, `update ${input.name}`, startMs);
          };
          // Beside the answer and not before it: nobody waits a turn longer because of a trace.
          result.then(end, end);
          return result;
        },
      },
    ],
    outbound: [
      {
        scheduleActivity: (input, next) => next(withTrace(input)),
        scheduleLocalActivity: (input, next) => next(withTrace(input)),
      },
    ],
    internals: [
      {
        dispose(input, next) {
          underWay.disable();
          next(input);
        },
      },
    ],
  };
}

function record({ context, parent }: Traced, name: string, startMs: number): void {
  latchkeyTrace.record({
    name,
    parent,
    spanId: context.spanId,
    startMs,
    endMs: Date.now(),
    attributes: {},
  });
}

/** The span that `subject` is, below the one that the header names; undefined without a header of ours. */
function traceOf(headers: Headers, subject: string): Traced | undefined {
  const payload = headers[TRACE_HEADER];
  if (payload === undefined) return undefined;
  const parent = textOf(payload);
  const context = parseTraceparent(parent);
  if (context === undefined || parent === undefined) return undefined;
  return { parent, context: { ...context, spanId: spanIdOf(`${context.spanId}/${subject}`) } };
}

function textOf(payload: NonNullable<Headers[string]>): string | undefined {
  try {
    const text: unknown = defaultPayloadConverter.fromPayload(payload);
    return typeof text === 'string' ? text : undefined;
  } catch {
    // Whoever can write to the namespace can write this header; it must never wedge a workflow.
    return undefined;
  }
}

/** FNV-1a, 64 bits: the same in every replay. */
function spanIdOf(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (let at = 0; at < text.length; at += 1) {
    hash ^= BigInt(text.charCodeAt(at));
    hash = (hash * 0x100000001b3n) & 0xffffffffffffffffn;
  }
  return hash.toString(16).padStart(16, '0');
}
