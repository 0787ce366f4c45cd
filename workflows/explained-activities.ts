/**
 * Activities that say in Temporal's UI what they are for: one summary an activity, given once. The summary stands encrypted beside the
 * event and is no part of what a replay compares. It must be a constant text.
 */
import {
  proxyActivities,
  proxyLocalActivities,
  type ActivityInterfaceFor,
  type ActivityOptions,
  type LocalActivityInterfaceFor,
  type LocalActivityOptions,
} from '@temporalio/workflow';

export type Summaries<A> = { readonly [Name in keyof A]: string };

export function explainedLocalActivities<A extends object>(
  options: LocalActivityOptions,
  summaries: Summaries<A>,
): LocalActivityInterfaceFor<A> {
  return eachWith(summaries, (summary) => proxyLocalActivities<A>({ ...options, summary }));
}

export function explainedActivities<A extends object>(
  options: ActivityOptions,
  summaries: Summaries<A>,
): ActivityInterfaceFor<A> {
  return eachWith(summaries, (summary) => proxyActivities<A>({ ...options, summary }));
}

function eachWith<P extends object>(
  summaries: Readonly<Record<string, string>>,
  proxy: (summary: string) => P,
): P {
  const entries = Object.entries(summaries).map(([name, summary]) => [
    name,
    // Every activity has a summary, so that the names of the one are the names of the other.
    proxy(summary)[name as keyof P],
  ]);
  // For the same reason the entries are a whole P.
  return Object.fromEntries(entries) as P;
}
