/**
 * Where a workflow's spans leave its sandbox. Never called during a replay. What arrives is checked like anything that comes out of workflow
 * code: it names a span that was lived through and changes nothing.
 */
import type { InjectedSinks } from '@temporalio/worker';
import type { Sinks } from '@temporalio/workflow';
import type { PastSpan, Tracing } from '../domain/tracing.ts';

/** The same names as in workflows/trace-interceptors.ts. */
export interface TraceSinks extends Sinks {
  latchkeyTrace: { record(span: PastSpan): void };
}

/** Without tracing the sink is there all the same: histories that carry a trace are worked on by every worker. */
export function createTraceSinks(tracing: Tracing | undefined): InjectedSinks<TraceSinks> {
  return {
    latchkeyTrace: {
      record: {
        fn(info, span) {
          tracing?.record({
            ...span,
            attributes: { ...span.attributes, workflowId: info.workflowId },
          });
        },
        callDuringReplay: false,
      },
    },
  };
}
