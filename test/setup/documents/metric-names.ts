/** The metrics that a dashboard or a file of alarms asks for, by the beginnings of their names; `up` is Prometheus's own. */

const NAME = /\b(?:latchkey|temporal|nodejs|process)_[a-z0-9_]+\b/g;

export function metricNames(text: string): string[] {
  return [...new Set([...text.matchAll(NAME)].map(([name]) => name))].toSorted();
}
