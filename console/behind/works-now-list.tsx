/** What still works while parts are broken, and the one button that mends them all. */
import { texts } from '../texts/texts.ts';
import { Icon } from '../parts/icons.tsx';
import type { IconName } from '../parts/icons.tsx';
import { Button } from '../parts/parts.tsx';
import type { PartsView } from '../stage/parts-view.ts';
import type { PartsState } from './use-parts.ts';
import { ABILITIES, brokenParts, worksNow } from './works-now.ts';
import type { Working } from './works-now.ts';

const ICONS: Readonly<Record<Working, IconName>> = {
  works: 'check',
  later: 'check',
  waits: 'pause',
  unreachable: 'lineLost',
};

export interface WorksNowProps {
  readonly parts: PartsState;
  readonly view: PartsView;
}

export function WorksNow({ parts, view }: WorksNowProps) {
  const { works } = texts.parts;
  const broken = brokenParts(view);
  const now = worksNow(broken);
  return (
    <div className="works">
      <div className="works-head">
        <h4>{works.title}</h4>
        {broken.length === 0 ? (
          <span className="works-all">
            <Icon name="check" size={16} /> {works.everything}
          </span>
        ) : (
          <ResumeAll parts={parts} view={view} />
        )}
      </div>
      {broken.length > 0 && (
        <ul>
          {ABILITIES.map((ability) => (
            <li key={ability} data-working={now[ability]}>
              <Icon name={ICONS[now[ability]]} size={16} />
              <span>
                {works.abilities[ability]} <small>{works.states[now[ability]]}</small>
              </span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** Busy while what was down is on its way. */
export function ResumeAll({ parts, view: { line, worker, temporal } }: WorksNowProps) {
  const isUnderWay = line.status === 'up' && worker.status !== 'down' && temporal.status !== 'down';
  return (
    <Button
      size="dense"
      kind="primary"
      icon="play"
      isBusy={parts.pressed === 'resume' || isUnderWay}
      isDisabled={parts.pressed !== undefined && parts.pressed !== 'resume'}
      onPress={() => {
        parts.press('resume');
      }}
    >
      {texts.parts.buttons.resume}
    </Button>
  );
}
