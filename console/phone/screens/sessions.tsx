/** Where the customer is logged in, and how to end the other places. */
import { texts } from '../../texts/texts.ts';
import { fullTimeOf, momentOf, useNow } from '../../parts/time.ts';
import { Icon } from '../../parts/icons.tsx';
import { Button, Tag } from '../../parts/parts.tsx';
import { usePhone } from '../phone-context.ts';

export function SessionsCard() {
  const [{ home, busy }, model] = usePhone();
  const nowMs = useNow(30_000);
  const { home: words } = texts.phone;
  return (
    <section className="card" aria-label={words.sessions}>
      <h3>{words.sessions}</h3>
      {home.me === undefined && <div className="skeleton" />}
      <ul className="sessions">
        {home.sessions.map((session) => (
          <li className="row" key={session.sessionId}>
            <Icon name="phone" />
            <span className="row-main">
              {session.deviceName ?? words.unnamed}
              <small title={fullTimeOf(session.startedAt)}>
                {words.since(momentOf(session.startedAt, nowMs))}
              </small>
            </span>
            {session.current && <Tag tone="plain">{words.current}</Tag>}
          </li>
        ))}
      </ul>
      {home.sessions.length > 1 && (
        <Button
          kind="quiet"
          isBusy={busy === 'logout-others'}
          onPress={() => void model.logOut('others')}
        >
          {words.logOutOthers}
        </Button>
      )}
    </section>
  );
}
