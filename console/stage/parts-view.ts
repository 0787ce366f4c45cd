/** The parts of the stack that the stage may break, as stage control tells of them. What it sends is checked here. */
import { isMembers, numberOf, optionalText } from './control-call.ts';

export type PartStatus = 'up' | 'stopping' | 'down' | 'starting';
export type LineStatus = 'up' | 'armed' | 'down';

export interface Standing<Status> {
  readonly status: Status;
  readonly sinceMs: number;
}

export interface Deployment {
  readonly from: string;
  readonly to: string;
  readonly phase: 'starting' | 'draining' | 'done' | 'failed';
}

export type PartEventName =
  | 'answer_lost'
  | 'line_restored'
  | 'worker_stopped'
  | 'worker_started'
  | 'temporal_stopped'
  | 'temporal_started'
  | 'deployed';

export interface PartEvent {
  readonly id: number;
  readonly at: string;
  readonly what: PartEventName;
  /** Of an answer that got lost. */
  readonly path: string | undefined;
  readonly status: number | undefined;
  /** Of a deployment. */
  readonly from: string | undefined;
  readonly to: string | undefined;
}

export interface PartsView {
  readonly line: Standing<LineStatus>;
  readonly worker: Standing<PartStatus> & { readonly buildId: string | undefined };
  /** `not_ours`: the stack was given a Temporal that it must not stop. */
  readonly temporal: Standing<PartStatus | 'not_ours'>;
  readonly deployment: Deployment | undefined;
  readonly ceremony: { readonly enrollmentId: string; readonly buildId: string } | undefined;
  readonly events: readonly PartEvent[];
}

export type PartsButton =
  | 'line/drop'
  | 'line/restore'
  | 'worker/stop'
  | 'worker/start'
  | 'worker/deploy'
  | 'temporal/stop'
  | 'temporal/start'
  | 'resume';

const LINE: readonly LineStatus[] = ['up', 'armed', 'down'];
const PART: readonly PartStatus[] = ['up', 'stopping', 'down', 'starting'];
const TEMPORAL: readonly (PartStatus | 'not_ours')[] = [...PART, 'not_ours'];
const PHASES: readonly Deployment['phase'][] = ['starting', 'draining', 'done', 'failed'];
const EVENTS: readonly PartEventName[] = [
  'answer_lost',
  'line_restored',
  'worker_stopped',
  'worker_started',
  'temporal_stopped',
  'temporal_started',
  'deployed',
];

export function readParts(value: unknown): PartsView {
  const { line, worker, temporal, deployment, ceremony, events } = membersOf(value);
  return {
    line: readStanding(line, LINE, 'up'),
    worker: {
      ...readStanding(worker, PART, 'up'),
      buildId: optionalText(membersOf(worker)['buildId']),
    },
    temporal: readStanding(temporal, TEMPORAL, 'not_ours'),
    deployment: readDeployment(deployment),
    ceremony: readCeremony(ceremony),
    events: Array.isArray(events) ? events.flatMap(readEvent) : [],
  };
}

function readStanding<Status extends string>(
  value: unknown,
  known: readonly Status[],
  otherwise: Status,
): Standing<Status> {
  const { status, since } = membersOf(value);
  return {
    status: known.find((one) => one === status) ?? otherwise,
    sinceMs: Date.parse(optionalText(since) ?? ''),
  };
}

function readDeployment(value: unknown): Deployment | undefined {
  const members = membersOf(value);
  const phase = PHASES.find((one) => one === members['phase']);
  const [from, to] = [optionalText(members['from']), optionalText(members['to'])];
  if (phase === undefined || from === undefined || to === undefined) return undefined;
  return { from, to, phase };
}

function readCeremony(value: unknown): PartsView['ceremony'] {
  const members = membersOf(value);
  const [enrollmentId, buildId] = [
    optionalText(members['enrollmentId']),
    optionalText(members['buildId']),
  ];
  return enrollmentId === undefined || buildId === undefined
    ? undefined
    : { enrollmentId, buildId };
}

function readEvent(value: unknown): PartEvent[] {
  const members = membersOf(value);
  const what = EVENTS.find((one) => one === members['what']);
  const [id, at] = [numberOf(members['id']), optionalText(members['at'])];
  if (what === undefined || id === undefined || at === undefined) return [];
  return [
    {
      id,
      at,
      what,
      path: optionalText(members['path']),
      status: numberOf(members['status']),
      from: optionalText(members['from']),
      to: optionalText(members['to']),
    },
  ];
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return isMembers(value) ? value : {};
}
