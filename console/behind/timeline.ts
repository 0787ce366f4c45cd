/** The timeline as it is shown: events and calls of the phone, grouped by what they belong to, newest on top. Pure. */
import { texts } from '../texts/texts.ts';

/** Who is to thank: PostgreSQL decided, Temporal drove, refused, the network lost it, nobody knows yet, or a button of this stage. */
export type Lane = 'decided' | 'driven' | 'refused' | 'lost' | 'waits' | 'broken' | 'mended';
export type GroupKind =
  | 'enrollment'
  | 'step_up'
  | 'recovery'
  | 'session'
  | 'revocation'
  | 'customer'
  | 'calls';

export interface AuditEvent {
  readonly position: string;
  readonly at: string;
  readonly action: string;
  readonly actorKind: string;
  readonly subjectKind: string;
  readonly subjectId: string;
  readonly ceremonyId: string | undefined;
  readonly customerId: string | undefined;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** What no audit row tells of: a call of this phone that was refused, lost or answered on the hot path, or a button of this stage. */
export interface StageEvent {
  readonly key: string;
  readonly at: string;
  readonly lane: Exclude<Lane, 'driven'>;
  readonly text: string;
  readonly name: string;
  /** How often it happened in a row. */
  readonly times?: number;
  /** What the phone was busy with. */
  readonly group: { readonly kind: GroupKind; readonly id: string };
}

export interface Line {
  readonly key: string;
  readonly at: string;
  readonly lane: Lane;
  readonly text: string;
  /** The literal name: the action, or the code of the refusal. */
  readonly name: string;
  readonly times?: number;
}

export interface Group {
  readonly key: string;
  readonly kind: GroupKind;
  readonly id: string;
  readonly lines: readonly Line[];
}

/** What the system does without Temporal: a row of the outbox asks for it. */
const BY_THE_OUTBOX: ReadonlySet<string> = new Set(['receipt.sealed']);

const REFUSED_ACTIONS: ReadonlySet<string> = new Set([
  'recovery.held',
  'recovery.decided_refuse',
  'enrollment.code_refused',
  'step_up.code_refused',
  'step_up.denied',
  'refresh.superseded',
  'refresh.reused',
  'refresh.redelivery_exhausted',
  'refresh.future',
]);

/** undefined when it is no event of the contract. */
export function readAuditEvent(data: unknown): AuditEvent | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  const members: Readonly<Record<string, unknown>> = { ...data };
  const text = (name: string) => (typeof members[name] === 'string' ? members[name] : undefined);
  const [at, action, subjectKind, subjectId] = ['at', 'action', 'subjectKind', 'subjectId'].map(
    text,
  );
  const { position, detail } = members;
  if (at === undefined || action === undefined || subjectKind === undefined) return undefined;
  if (subjectId === undefined || (typeof position !== 'string' && typeof position !== 'number'))
    return undefined;
  return {
    position: String(position),
    at,
    action,
    subjectKind,
    subjectId,
    actorKind: text('actorKind') ?? '',
    ceremonyId: text('ceremonyId'),
    customerId: text('customerId'),
    detail: typeof detail === 'object' && detail !== null ? { ...detail } : {},
  };
}

export const positionOf = ({ position }: AuditEvent): string => position;

/** The group of the newest line stands first, and in it the newest line. */
export function groupsOf(
  events: readonly AuditEvent[],
  stageEvents: readonly StageEvent[],
): readonly Group[] {
  const groups = new Map<string, { kind: GroupKind; id: string; lines: Line[] }>();
  const put = (kind: GroupKind, id: string, line: Line) => {
    const key = `${kind}:${id}`;
    const group = groups.get(key) ?? { kind, id, lines: [] };
    group.lines.push(line);
    groups.set(key, group);
  };
  const cutOffs = events.filter(({ subjectKind }) => subjectKind === 'revocation');
  for (const event of events) {
    const { kind, id } = groupOf(event, cutOffs);
    put(kind, id, lineOfEvent(event));
  }
  for (const { group, ...line } of stageEvents) put(group.kind, group.id, line);
  return [...groups.entries()]
    .map(([key, { kind, id, lines }]) => ({ key, kind, id, lines: lines.toSorted(newestFirst) }))
    .toSorted((a, b) => newest(b).localeCompare(newest(a)));
}

/** `01928f…c4a1`: enough to tell two apart. */
export function shortId(id: string): string {
  const [prefix, hex = ''] = id.split('_');
  return hex.length > 8 ? `${prefix ?? ''}_…${hex.slice(-6)}` : id;
}

const CEREMONIES: Readonly<Record<string, GroupKind | undefined>> = {
  step_up: 'step_up',
  receipt: 'step_up',
  recovery: 'recovery',
};

function groupOf(
  { ceremonyId, subjectKind, subjectId, at, customerId }: AuditEvent,
  cutOffs: readonly AuditEvent[],
): { kind: GroupKind; id: string } {
  const kind = CEREMONIES[subjectKind] ?? 'enrollment';
  if (ceremonyId !== undefined) return { kind, id: ceremonyId };
  if (subjectKind === 'session') return { kind: 'session', id: subjectId };
  if (subjectKind === 'revocation') return { kind: 'revocation', id: subjectId };
  const lastCutOff = cutOffs.filter((cutOff) => cutOff.at <= at).at(-1);
  if (subjectKind === 'hold' && lastCutOff !== undefined)
    return { kind: 'revocation', id: lastCutOff.subjectId };
  return { kind: 'customer', id: customerId ?? subjectId };
}

function lineOfEvent(event: AuditEvent): Line {
  const { action, actorKind, at, detail, position } = event;
  const inWords = texts.behind.actions[action];
  const isDriven = actorKind === 'system' && !BY_THE_OUTBOX.has(action);
  const lane = isDriven ? 'driven' : 'decided';
  return {
    key: `event ${position}`,
    at,
    lane: REFUSED_ACTIONS.has(action) ? 'refused' : lane,
    text: inWords === undefined ? action.replaceAll(/[._]/g, ' ') : inWords(detail),
    name: action,
  };
}

function newestFirst(a: Line, b: Line): number {
  return b.at.localeCompare(a.at) || b.key.localeCompare(a.key, 'en', { numeric: true });
}

function newest({ lines }: { readonly lines: readonly Line[] }): string {
  return lines[0]?.at ?? '';
}
