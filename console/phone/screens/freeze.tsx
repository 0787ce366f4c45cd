/** The account as it can be stopped: one button that freezes it, or until when it is frozen and the way out. */
import { fullTimeOf, momentOf, useNow } from '../../parts/time.ts';
import { Icon } from '../../parts/icons.tsx';
import { Button, Tag } from '../../parts/parts.tsx';
import { texts } from '../../texts/texts.ts';
import { usePhone } from '../phone-context.ts';

export function FreezeCard() {
  const [{ home, busy }, { freezing }] = usePhone();
  const nowMs = useNow();
  const { freeze: words } = texts;
  const until = home.me?.frozenUntil ?? null;
  return (
    <section className="card" aria-label={words.card}>
      <h3>{words.card}</h3>
      {home.me === undefined ? (
        <div className="skeleton" />
      ) : (
        <div className="row">
          <Icon name={until === null ? 'shield' : 'pause'} />
          <span className="row-main">
            {until === null ? words.open : words.frozen}
            {until !== null && (
              <small title={fullTimeOf(until)}>{words.until(momentOf(until, nowMs))}</small>
            )}
          </span>
          {until !== null && (
            <Tag tone="wait" icon="pause">
              {words.tag}
            </Tag>
          )}
        </div>
      )}
      <div className="card-actions">
        {until === null ? (
          <Button kind="quiet" isBusy={busy === 'freeze'} onPress={() => void freezing.freeze()}>
            {words.freeze}
          </Button>
        ) : (
          <Button kind="quiet" isBusy={busy === 'lift-freeze'} onPress={() => void freezing.lift()}>
            {words.lift}
          </Button>
        )}
      </div>
    </section>
  );
}
