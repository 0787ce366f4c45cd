/**
 * What Temporal's UI shows of a running workflow, as Markdown: what it waits for, who acts, until when, what is done, where to read on.
 * For staff who have never seen the code. It must never hold an id or anything about a person, and changes no history.
 */

export interface CurrentDetails {
  /** "The customer types the code sent by SMS." */
  readonly now: string;
  readonly whoActs: string;
  readonly untilMs?: number;
  /** What happens at `untilMs` if nobody did. */
  readonly otherwise?: string;
  readonly done: readonly string[];
  readonly next: readonly string[];
  /** The section of the runbook at the operations door. */
  readonly runbook: 'enrollment' | 'recovery' | 'step_up' | 'session' | 'revocation';
}

export function describeNow(details: CurrentDetails): string {
  const { untilMs, otherwise } = details;
  const until = untilMs === undefined ? [] : [`**Until:** ${utcTime(untilMs)}${then(otherwise)}`];
  return [
    `### ${details.now}`,
    `**Who acts:** ${details.whoActs}`,
    ...until,
    ...list('Done', details.done),
    ...list('Still to come', details.next),
    `[Runbook](/runbook#${details.runbook})`,
  ].join('\n\n');
}

/** To the second, in the one zone that needs no explanation. */
export function utcTime(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

function then(otherwise: string | undefined): string {
  return otherwise === undefined ? '' : `, then ${otherwise}`;
}

function list(title: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`**${title}:** ${items.join(', ')}`];
}
