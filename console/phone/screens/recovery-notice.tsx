/**
 * On a phone that is logged in: somebody recovers this account elsewhere, or has. One press objects; what is open stands before everything else of the
 * home screen.
 */
import type { OwnRecovery } from '../../../sdk/recovery-types.ts';
import { texts } from '../../texts/texts.ts';
import { Icon } from '../../parts/icons.tsx';
import { Banner, Button } from '../../parts/parts.tsx';
import { fullTimeOf, momentOf, useNow } from '../../parts/time.ts';
import { usePhone } from '../phone-context.ts';

/** Above everything else. */
export function OpenRecoveries() {
  const [{ home }, model] = usePhone();
  const session = model.session();
  const limited = session.status === 'active' ? session.claims['limited_until'] : undefined;
  return (
    <>
      {typeof limited === 'number' && <LimitedBanner until={new Date(limited * 1_000)} />}
      {home.recoveries
        .filter(({ outcome }) => outcome === undefined)
        .map((recovery) => (
          <RecoveryNotice key={recovery.recoveryId} recovery={recovery} />
        ))}
    </>
  );
}

/** Below: what completed can still be disputed. */
export function CompletedRecoveries() {
  const [{ home }] = usePhone();
  return home.recoveries
    .filter(({ outcome }) => outcome !== undefined)
    .map((recovery) => <CompletedRecovery key={recovery.recoveryId} recovery={recovery} />);
}

function LimitedBanner({ until }: { readonly until: Date }) {
  const nowMs = useNow(60_000);
  const { limited: words } = texts.recovery;
  if (until.getTime() <= nowMs) return null;
  return (
    <Banner tone="wait" title={words.title}>
      {words.text(momentOf(until.toISOString(), nowMs))}
    </Banner>
  );
}

function RecoveryNotice({ recovery }: { readonly recovery: OwnRecovery }) {
  const nowMs = useNow(5_000);
  const [{ busy }, { objecting }] = usePhone();
  const { notice: words } = texts.recovery;
  const { recoveryId, state, report, openedBy, createdAt, coolingOverAt, shortenFrom } = recovery;
  const canShorten = shortenFrom !== null && Date.parse(shortenFrom) <= nowMs;
  return (
    <section className="card recovery-notice" aria-label={words.card}>
      <h3>
        <Icon name="warning" size={18} /> {words.card}
      </h3>
      <p>
        {words.text(words.reports[report])} {openedBy === 'staff' && words.byStaff}
      </p>
      <p className="page-note">
        {words.states[state]}.{' '}
        <span title={fullTimeOf(createdAt)}>{words.since(momentOf(createdAt, nowMs))}.</span>{' '}
        {coolingOverAt !== null && (
          <strong title={fullTimeOf(coolingOverAt)}>
            {words.over(momentOf(coolingOverAt, nowMs))}.
          </strong>
        )}
      </p>
      <Button
        kind="danger"
        isBusy={busy === 'object'}
        onPress={() => void objecting.object(recoveryId)}
      >
        {words.object}
      </Button>
      {shortenFrom !== null && (
        <Button
          kind="quiet"
          isBusy={busy === 'shorten'}
          isDisabled={!canShorten}
          onPress={() => void objecting.shorten(recoveryId)}
        >
          {words.shorten}
        </Button>
      )}
      {shortenFrom !== null && !canShorten && (
        <p className="page-note">{words.shortenFrom(momentOf(shortenFrom, nowMs))}</p>
      )}
    </section>
  );
}

function CompletedRecovery({ recovery }: { readonly recovery: OwnRecovery }) {
  const nowMs = useNow(60_000);
  const [{ busy }, { objecting }] = usePhone();
  const { notice: words } = texts.recovery;
  const { recoveryId, endedAt } = recovery;
  return (
    <section className="card" aria-label={words.completed}>
      <h3>{words.completed}</h3>
      {endedAt !== null && (
        <p title={fullTimeOf(endedAt)}>{words.completedText(momentOf(endedAt, nowMs))}</p>
      )}
      <div className="card-actions">
        <Button
          kind="quiet"
          isBusy={busy === 'object'}
          onPress={() => void objecting.object(recoveryId)}
        >
          {words.object}
        </Button>
      </div>
    </section>
  );
}
