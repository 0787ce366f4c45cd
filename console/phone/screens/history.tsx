/** The customer's logins, the youngest first: what happened, on what, where and when; what was refused or ended says why. */
import type { HistoryEntry } from '../../../sdk/types.ts';
import { texts } from '../../texts/texts.ts';
import { fullTimeOf, momentOf, useNow } from '../../parts/time.ts';
import { Icon } from '../../parts/icons.tsx';
import type { IconName } from '../../parts/icons.tsx';
import { Button, Tag } from '../../parts/parts.tsx';
import { usePhone } from '../phone-context.ts';
import { Page } from './page.tsx';

const ICONS: Readonly<Record<HistoryEntry['event'], IconName>> = {
  logged_in: 'key',
  session_ended: 'out',
  login_refused: 'refused',
  device_trusted: 'shield',
  device_suspended: 'pause',
  device_resumed: 'play',
  device_revoked: 'stop',
  passkey_removed: 'stop',
  account_held: 'shieldOff',
  account_released: 'shield',
};

export function HistoryScreen() {
  const [{ history, busy }, { ownSessions }] = usePhone();
  const { history: words } = texts.sessions;
  const hasOlder = typeof history?.next === 'string';
  return (
    <Page
      title={words.title}
      text={words.text}
      onBack={() => void ownSessions.show('overview')}
      actions={
        hasOlder && (
          <Button
            kind="secondary"
            isBusy={busy === 'older'}
            onPress={() => void ownSessions.olderHistory()}
          >
            {words.more}
          </Button>
        )
      }
    >
      {history === undefined && <Loading />}
      {history?.entries.length === 0 && <p className="page-note">{words.empty}</p>}
      <ol className="own-sessions">
        {history?.entries.map((entry) => (
          <Entry key={entry.entryId} entry={entry} />
        ))}
      </ol>
    </Page>
  );
}

function Entry({ entry }: { readonly entry: HistoryEntry }) {
  const nowMs = useNow(30_000);
  const { sessions: words } = texts;
  const { event, reason, at, current } = entry;
  const where = [entry.deviceName ?? words.noDevice, entry.place];
  const isAboutSession = entry.sessionId !== null || event === 'login_refused';
  const isAboutDevice = isAboutSession || entry.deviceName !== null;
  return (
    <li className="own-session" data-event={event}>
      <Icon name={ICONS[event]} />
      <div className="row-main">
        <strong>{words.history.events[event]}</strong>
        {reason !== null && <small>{words.history.reasons[reason] ?? reason}</small>}
        {isAboutDevice && <small>{where.filter((part) => part !== null).join(' · ')}</small>}
        {entry.by === 'bank' && reason === null && <small>{words.history.byBank}</small>}
      </div>
      <div className="own-session-side">
        <time dateTime={at} title={fullTimeOf(at)}>
          {momentOf(at, nowMs)}
        </time>
        {current && event === 'logged_in' && <Tag tone="plain">{words.history.now}</Tag>}
      </div>
    </li>
  );
}

function Loading() {
  return (
    <div aria-hidden="true">
      <div className="skeleton" />
      <div className="skeleton" />
      <div className="skeleton" data-size="short" />
    </div>
  );
}
