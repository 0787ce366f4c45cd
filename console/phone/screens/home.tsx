/** Logged in: who, on which device, how trusted, and what the token says until when. */
import type { Me } from '../../../sdk/types.ts';
import { texts } from '../../texts/texts.ts';
import { Icon } from '../../parts/icons.tsx';
import { Button, Tag } from '../../parts/parts.tsx';
import { usePhone } from '../phone-context.ts';
import { AccountsCard } from './accounts.tsx';
import { FreezeCard } from './freeze.tsx';
import { Brand, Outcome } from './page.tsx';
import { PayCard } from './pay.tsx';
import { CompletedRecoveries, OpenRecoveries } from './recovery-notice.tsx';
import { SessionsCard } from './sessions.tsx';
import { TokenCard } from './token.tsx';

export function HomeScreen() {
  const [{ home, busy }, model] = usePhone();
  const { home: words } = texts.phone;
  return (
    <div className="home">
      <div className="page-head">
        <Brand />
      </div>
      <h2 className="page-title" tabIndex={-1}>
        {typeof home.me?.givenName === 'string'
          ? words.greeting(home.me.givenName)
          : words.greetingNameless}
      </h2>
      <Outcome />
      <OpenRecoveries />
      <AccountsCard />
      <PayCard />
      <DeviceCard me={home.me} />
      <TokenCard />
      <SessionsCard />
      <FreezeCard />
      <CompletedRecoveries />
      <Button
        kind="secondary"
        icon="out"
        isBusy={busy === 'logout-this'}
        onPress={() => void model.logOut('this')}
      >
        {words.logOut}
      </Button>
    </div>
  );
}

function DeviceCard({ me }: { readonly me: Me | undefined }) {
  const { home: words } = texts.phone;
  const device = me?.device;
  const isTrusted = device?.status === 'trusted';
  return (
    <section className="card" aria-label={words.device}>
      <h3>{words.device}</h3>
      {me === undefined ? (
        <div className="skeleton" />
      ) : (
        <>
          <div className="row">
            <Icon name="phone" />
            <span className="row-main">
              {device?.name ?? words.unknownDevice}
              {device && (
                <small>{words.keys[device.attestationLevel] ?? device.attestationLevel}</small>
              )}
            </span>
            {device && (
              <Tag tone={isTrusted ? 'good' : 'wait'} icon={isTrusted ? 'shield' : 'warning'}>
                {words.trust[device.status] ?? device.status}
              </Tag>
            )}
          </div>
          <div className="row">
            <Icon name="key" />
            <span className="row-main">
              {words.strength} {me.session.acr}
              <small>{me.session.amr.join(' · ')}</small>
            </span>
          </div>
        </>
      )}
    </section>
  );
}
