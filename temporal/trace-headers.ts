/**
 * The trace on its way through Temporal: one header, `traceparent`, in clear like every header there, and never any baggage. Calls of a client
 * get a span and carry it; an activity finds it in what its workflow handed on (workflows/trace-interceptors.ts).
 */
import type { WorkflowClientInterceptor } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { Headers } from '@temporalio/common';
import { LatchkeyError } from '../domain/errors.ts';
import { parseTraceparent, TRACE_HEADER } from '../domain/tracing.ts';
import type { SpanAttributes, Tracing } from '../domain/tracing.ts';
import { isAlreadyStarted, isNotFound, toUpdateError } from './client-errors.ts';

/** undefined: none, or none that we wrote. */
export function traceparentOf(headers: Headers): string | undefined {
  const payload = headers[TRACE_HEADER];
  if (payload === undefined) return undefined;
  try {
    const text: unknown = defaultPayloadConverter.fromPayload(payload);
    return parseTraceparent(text) === undefined ? undefined : String(text);
  } catch {
    // Whoever can write to the namespace can write this header.
    return undefined;
  }
}

export function createTraceInterceptor(tracing: Tracing): WorkflowClientInterceptor {
  const traced = async <T>(
    name: string,
    attributes: SpanAttributes,
    call: (header: Headers) => Promise<T>,
  ): Promise<T> => {
    const span = tracing.begin({ name, kind: 'client', attributes });
    const header = { [TRACE_HEADER]: defaultPayloadConverter.toPayload(span.traceparent) };
    try {
      const result = await span.within(() => call(header));
      span.end();
      return result;
    } catch (error) {
      const failedWith = faultOf(error);
      span.end(failedWith === undefined ? {} : { failedWith });
      throw error;
    }
  };
  return {
    startWithDetails: (input, next) =>
      traced(
        `temporal start ${input.workflowType}`,
        { workflowId: input.options.workflowId },
        (header) => next({ ...input, headers: { ...input.headers, ...header } }),
      ),
    startUpdate: (input, next) =>
      traced(
        `temporal update ${input.updateName}`,
        { workflowId: input.workflowExecution.workflowId ?? '' },
        (header) => next({ ...input, headers: { ...input.headers, ...header } }),
      ),
    signal: (input, next) =>
      traced(
        `temporal signal ${input.signalName}`,
        { workflowId: input.workflowExecution.workflowId ?? '' },
        (header) => next({ ...input, headers: { ...input.headers, ...header } }),
      ),
    signalWithStart: (input, next) =>
      traced(
        `temporal signalWithStart ${input.workflowType}`,
        { workflowId: input.options.workflowId },
        (header) => next({ ...input, headers: { ...input.headers, ...header } }),
      ),
  };
}

/** The code of what nobody expected; a workflow that exists already or is gone is an answer. */
function faultOf(error: unknown): string | undefined {
  if (isAlreadyStarted(error) || isNotFound(error)) return undefined;
  return error instanceof LatchkeyError ? error.code : toUpdateError(error).code;
}
