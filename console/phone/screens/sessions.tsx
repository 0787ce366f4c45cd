/** Where the customer is logged in: in one line at home, and on a screen where each can be ended. */
import type { SessionEntry } from '../../../sdk/types.ts';
import { texts } from '../../texts/texts.ts';
import { ago, fullTimeOf, momentOf, useNow } from '../../parts/time.ts';
import { Icon } from '../../parts/icons.tsx';
import { Button, Tag } from '../../parts/parts.tsx';
import { usePhone } from '../phone-context.ts';
import { Page } from './page.tsx';

export function SessionsCard() {
  const [{ home }, { ownSessions }] = usePhone();
  const { sessions: words } = texts;
  const others = home.sessions.filter(({ current }) => !current).length;
  return (
    <section className="card" aria-label={words.card}>
      <h3>{words.card}</h3>
      {home.me === undefined ? (
        <div className="skeleton" />
      ) : (
        <div className="row">
          <Icon name="phone" />
          <span className="row-main">{others === 0 ? words.onlyHere : words.alsoOn(others)}</span>
        </div>
      )}
      <div className="card-actions">
        <Button kind="quiet" onPress={() => void ownSessions.show('sessions')}>
          {words.seeAll}
        </Button>
        <Button kind="quiet" onPress={() => void ownSessions.show('history')}>
          {words.history.open}
        </Button>
      </div>
    </section>
  );
}

export function SessionsScreen() {
  const [{ home, busy }, { ownSessions }] = usePhone();
  const { sessions: words } = texts;
  const isAlone = home.sessions.every(({ current }) => current);
  return (
    <Page
      title={words.title}
      text={words.text}
      onBack={() => void ownSessions.show('overview')}
      actions={
        <>
          {!isAlone && (
            <Button
              kind="primary"
              isBusy={busy === 'end-others'}
              onPress={() => void ownSessions.endOthers()}
            >
              {words.endOthers}
            </Button>
          )}
          <Button kind="secondary" onPress={() => void ownSessions.show('history')}>
            {words.history.open}
          </Button>
        </>
      }
    >
      <ul className="own-sessions">
        {home.sessions.toSorted(currentFirst).map((session) => (
          <SessionItem key={session.sessionId} session={session} />
        ))}
      </ul>
      {isAlone && home.me !== undefined && <p className="page-note">{words.alone}</p>}
    </Page>
  );
}

/** The rest stays as it came, the latest use first. */
function currentFirst(one: SessionEntry, other: SessionEntry): number {
  return Number(other.current) - Number(one.current);
}

function SessionItem({ session }: { readonly session: SessionEntry }) {
  const [{ busy }, { ownSessions }] = usePhone();
  const nowMs = useNow(30_000);
  const { sessions: words } = texts;
  const { sessionId, current, acr, lastSeenAt, startedAt } = session;
  const name = session.deviceName ?? words.noDevice;
  return (
    <li className="own-session">
      <Icon name={session.deviceId === null ? 'warning' : 'phone'} />
      <div className="row-main">
        <strong>{name}</strong>
        <small>{words.strengths[acr] ?? acr}</small>
        {session.place !== null && <small>{session.place}</small>}
        <small title={fullTimeOf(startedAt)}>{words.since(momentOf(startedAt, nowMs))}</small>
        <small title={fullTimeOf(lastSeenAt)}>
          {words.lastUsed(ago(Date.parse(lastSeenAt), nowMs))}
        </small>
      </div>
      {current ? (
        <Tag tone="good" icon="check">
          {words.thisOne}
        </Tag>
      ) : (
        <Button
          kind="secondary"
          title={words.endOf(name)}
          isBusy={busy === `end-${sessionId}`}
          onPress={() => void ownSessions.end(sessionId)}
        >
          {words.end}
        </Button>
      )}
    </li>
  );
}
