/** What happens behind the phone: one line an event, the seam between PostgreSQL and Temporal visible, refusals with their reason. */
import { texts } from '../texts/texts.ts';
import { Icon } from '../parts/icons.tsx';
import type { IconName } from '../parts/icons.tsx';
import { ago, exactTimeOf, fullTimeOf, useNow } from '../parts/time.ts';
import { Tag } from '../parts/parts.tsx';
import type { StageConfig } from '../stage/control.ts';
import type { Stream } from '../stage/event-stream.ts';
import type { PartsView } from '../stage/parts-view.ts';
import { shortBuild } from './builds.ts';
import { groupsOf, shortId } from './timeline.ts';
import type { AuditEvent, Group, GroupKind, Lane, Line, StageEvent } from './timeline.ts';

const ICONS: Readonly<Record<Lane, IconName>> = {
  decided: 'database',
  driven: 'loop',
  refused: 'refused',
  lost: 'lineLost',
  waits: 'pause',
  broken: 'stop',
  mended: 'play',
};
const LEGEND: readonly Lane[] = ['decided', 'driven', 'refused'];
const WORKFLOWS: ReadonlySet<GroupKind> = new Set([
  'enrollment',
  'step_up',
  'recovery',
  'session',
  'revocation',
]);

export interface TimelineProps {
  readonly stream: Stream<AuditEvent>;
  readonly stageEvents: readonly StageEvent[];
  /** Which build of the workers has the ceremony in hand. */
  readonly ceremony: PartsView['ceremony'];
  readonly config: StageConfig;
}

export function Timeline({ stream, stageEvents, config, ceremony }: TimelineProps) {
  const { behind } = texts;
  const groups = groupsOf(stream.items, stageEvents);
  return (
    <section className="timeline" aria-label={behind.title}>
      <div className="timeline-head">
        <ul className="legend" aria-label={behind.legend}>
          {LEGEND.map((lane) => (
            <li key={lane} data-lane={lane}>
              <Icon name={ICONS[lane]} size={14} /> {behind.lanes[lane]}
            </li>
          ))}
        </ul>
        <StreamState stream={stream} />
      </div>
      {groups.length === 0 ? (
        <div className="empty">
          <strong>{behind.empty}</strong>
          <p>{behind.emptyText}</p>
        </div>
      ) : (
        <ol className="groups" aria-live="polite" aria-relevant="additions">
          {groups.map((group) => (
            <GroupOfLines
              key={group.key}
              group={group}
              config={config}
              buildId={ceremony?.enrollmentId === group.id ? ceremony.buildId : undefined}
            />
          ))}
        </ol>
      )}
    </section>
  );
}

function StreamState({ stream }: { readonly stream: Stream<AuditEvent> }) {
  const nowMs = useNow();
  const { behind } = texts;
  switch (stream.status) {
    case 'idle':
      return <Tag tone="plain">{behind.idle}</Tag>;
    case 'connecting':
      return <Tag tone="plain">{behind.connecting}</Tag>;
    case 'live':
      return (
        <Tag tone="good" icon="check">
          {behind.live}
        </Tag>
      );
    case 'lost':
      return (
        <Tag tone="wait" icon="warning">
          {behind.lost(ago(stream.heardAtMs, nowMs))}
        </Tag>
      );
  }
}

interface GroupProps {
  readonly group: Group;
  readonly config: StageConfig;
  readonly buildId: string | undefined;
}

function GroupOfLines({ group, config, buildId }: GroupProps) {
  const { behind } = texts;
  const href = workflowHref(group, config);
  return (
    <li className="group">
      <div className="group-head">
        <h3>{behind.groups[group.kind]}</h3>
        <code title={group.id}>{shortId(group.id)}</code>
        {buildId !== undefined && (
          <code title={buildId}>{texts.parts.onBuild(shortBuild(buildId))}</code>
        )}
        {href !== undefined && (
          <a href={href} target="_blank" rel="noreferrer">
            {behind.openInTemporal} <Icon name="external" size={14} />
          </a>
        )}
      </div>
      <ol className="lines">
        {group.lines.map((line) => (
          <EventLine key={line.key} line={line} />
        ))}
      </ol>
    </li>
  );
}

function EventLine({ line }: { readonly line: Line }) {
  return (
    <li className="line" data-lane={line.lane}>
      <span className="line-mark" title={texts.behind.lanes[line.lane]}>
        <Icon name={ICONS[line.lane]} size={14} />
      </span>
      <span className="line-text">
        {line.text}
        <small>
          {texts.behind.lanesShort[line.lane]} · {line.name}
          {line.times !== undefined && line.times > 1 && ` · ${texts.behind.times(line.times)}`}
        </small>
      </span>
      <time dateTime={line.at} title={fullTimeOf(line.at)}>
        {exactTimeOf(line.at)}
      </time>
    </li>
  );
}

/** Temporal's web UI shows a workflow by its id; without an address or a tenant there is no link. */
function workflowHref({ kind, id }: Group, config: StageConfig): string | undefined {
  const { tenantId } = config;
  if (tenantId === undefined || !WORKFLOWS.has(kind)) return undefined;
  return workflowAddress(`${kind}/${tenantId}/${id}`, config);
}

export function workflowAddress(
  workflowId: string,
  { temporalUiUrl, temporalNamespace }: StageConfig,
): string | undefined {
  if (temporalUiUrl === undefined) return undefined;
  return `${temporalUiUrl}/namespaces/${encodeURIComponent(temporalNamespace)}/workflows/${encodeURIComponent(workflowId)}`;
}
