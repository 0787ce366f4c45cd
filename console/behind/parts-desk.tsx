/** The parts that may be broken, each with what it is doing, since when, and its buttons, which say what they will do. */
import type { ReactNode } from 'react';
import { texts } from '../texts/texts.ts';
import { Icon } from '../parts/icons.tsx';
import type { IconName } from '../parts/icons.tsx';
import { Button, Tag } from '../parts/parts.tsx';
import type { TagProps } from '../parts/parts.tsx';
import { duration, fullTimeOf, useNow } from '../parts/time.ts';
import type { PartsButton, PartsView, Standing } from '../stage/parts-view.ts';
import type { PartsState } from './use-parts.ts';
import { shortBuild } from './builds.ts';
import { WorksNow } from './works-now-list.tsx';

type Status = keyof typeof texts.parts.states;

export function PartsDesk({ parts }: { readonly parts: PartsState }) {
  const { parts: words } = texts;
  const { view, failure } = parts;
  if (view === undefined) return <p className="quiet">{words.loading}</p>;
  return (
    <section className="desk parts-desk" aria-label={words.title}>
      <ul className="parts">
        <LineRow parts={parts} view={view} />
        <WorkerRow parts={parts} view={view} />
        <TemporalRow parts={parts} view={view} />
      </ul>
      {failure !== undefined && (
        <p className="field-error" role="alert">
          {words.failures[failure] ?? words.failures.unknown}
        </p>
      )}
      <WorksNow parts={parts} view={view} />
    </section>
  );
}

interface RowProps {
  readonly parts: PartsState;
  readonly view: PartsView;
}

function LineRow({ parts, view: { line } }: RowProps) {
  const { parts: words } = texts;
  const text = { up: words.effects.line, armed: words.armed, down: words.lineDown }[line.status];
  return (
    <PartRow
      icon={line.status === 'up' ? 'line' : 'lineLost'}
      name={words.names.line}
      standing={line}
      text={text}
    >
      {line.status === 'up' ? (
        <PartButton parts={parts} button="line/drop">
          {words.buttons.drop}
        </PartButton>
      ) : (
        <PartButton parts={parts} button="line/restore">
          {line.status === 'armed' ? words.buttons.disarm : words.buttons.restore}
        </PartButton>
      )}
    </PartRow>
  );
}

function WorkerRow({ parts, view }: RowProps) {
  const { parts: words } = texts;
  const { worker, temporal } = view;
  const isDown = worker.status === 'down' || worker.status === 'stopping';
  const canDeploy = worker.status === 'up' && ['up', 'not_ours'].includes(temporal.status);
  return (
    <PartRow
      icon="worker"
      name={words.names.worker}
      standing={worker}
      text={deploymentText(view) ?? words.effects.worker}
      more={<Builds view={view} />}
    >
      <PartButton parts={parts} button="worker/deploy" isDisabled={!canDeploy}>
        {words.buttons.deploy}
      </PartButton>
      {isDown ? (
        <PartButton parts={parts} button="worker/start">
          {words.buttons.startWorker}
        </PartButton>
      ) : (
        <PartButton parts={parts} button="worker/stop">
          {words.buttons.stopWorker}
        </PartButton>
      )}
    </PartRow>
  );
}

function TemporalRow({ parts, view: { temporal } }: RowProps) {
  const { parts: words } = texts;
  const isOurs = temporal.status !== 'not_ours';
  const isDown = temporal.status === 'down' || temporal.status === 'starting';
  return (
    <PartRow
      icon="loop"
      name={words.names.temporal}
      standing={temporal}
      text={isOurs ? words.effects.temporal : words.effects.not_ours}
    >
      {isDown ? (
        <PartButton parts={parts} button="temporal/start">
          {words.buttons.startTemporal}
        </PartButton>
      ) : (
        <PartButton parts={parts} button="temporal/stop" isDisabled={!isOurs}>
          {words.buttons.stopTemporal}
        </PartButton>
      )}
    </PartRow>
  );
}

/** What a deployment is doing; undefined when there is none to tell of. */
function deploymentText({ deployment }: PartsView): string | undefined {
  const { deploying } = texts.parts;
  if (deployment === undefined) return undefined;
  const { from, to, phase } = deployment;
  return phase === 'done'
    ? deploying.done(shortBuild(from), shortBuild(to))
    : deploying[phase](shortBuild(to));
}

function Builds({ view: { ceremony, worker } }: { readonly view: PartsView }) {
  const { parts: words } = texts;
  if (ceremony === undefined) return null;
  const isBehind = worker.buildId !== undefined && worker.buildId !== ceremony.buildId;
  return (
    <small className="part-build">
      <Icon name={isBehind ? 'up' : 'check'} size={14} />
      {isBehind
        ? words.ceremonyMoves(shortBuild(ceremony.buildId), shortBuild(worker.buildId))
        : words.ceremony(shortBuild(ceremony.buildId))}
    </small>
  );
}

interface PartRowProps {
  readonly icon: IconName;
  readonly name: string;
  readonly standing: Standing<Status> & { readonly buildId?: string | undefined };
  readonly text: string;
  readonly more?: ReactNode;
  readonly children: ReactNode;
}

function PartRow({ icon, name, standing, text, more, children }: PartRowProps) {
  const { parts: words } = texts;
  return (
    <li className="part" data-status={standing.status} aria-label={name}>
      <span className="part-mark" aria-hidden="true">
        <Icon name={icon} size={18} />
      </span>
      <div className="part-main">
        <div className="part-head">
          <strong>{name}</strong>
          <StatusTag standing={standing} />
          {standing.buildId !== undefined && standing.status === 'up' && (
            <code title={standing.buildId}>{words.build(shortBuild(standing.buildId))}</code>
          )}
        </div>
        <p>{text}</p>
        {more}
      </div>
      <div className="part-buttons">{children}</div>
    </li>
  );
}

const TONES: Readonly<Record<Status, TagProps['tone']>> = {
  up: 'good',
  armed: 'wait',
  stopping: 'wait',
  down: 'danger',
  starting: 'wait',
  not_ours: 'plain',
};

function StatusTag({ standing: { status, sinceMs } }: { readonly standing: Standing<Status> }) {
  const nowMs = useNow();
  const { parts: words } = texts;
  const lastedMs = nowMs - sinceMs;
  const isTimed = status !== 'up' && status !== 'not_ours' && lastedMs >= 1_000;
  return (
    <Tag tone={TONES[status]} {...(status === 'up' ? { icon: 'check' as const } : {})}>
      {words.states[status]}
      {isTimed && (
        <time title={words.sinceHint(fullTimeOf(new Date(sinceMs).toISOString()))}>
          {words.since(duration(lastedMs))}
        </time>
      )}
    </Tag>
  );
}

interface PartButtonProps {
  readonly parts: PartsState;
  readonly button: PartsButton;
  readonly isDisabled?: boolean;
  readonly children: string;
}

function PartButton({ parts, button, isDisabled, children }: PartButtonProps) {
  const isOther = parts.pressed !== undefined && parts.pressed !== button;
  return (
    <Button
      size="dense"
      isBusy={parts.pressed === button}
      isDisabled={isDisabled === true || isOther}
      onPress={() => {
        parts.press(button);
      }}
    >
      {children}
    </Button>
  );
}
