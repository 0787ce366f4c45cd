/** A customer at one glance, masked: who, what stops them, where they are logged in, and what this person may do about it now. */
import { useCallback, useEffect } from 'react';
import { Banner, Button, Tag } from '../../parts/parts.tsx';
import { fullTimeOf, momentOf, useNow } from '../../parts/time.ts';
import { callAddress } from '../address.ts';
import type { Change } from '../confirm.tsx';
import { consoleTexts as words } from '../console-texts.ts';
import { Link } from '../link.tsx';
import { Ago, Allowed, Moment, Told, maySupervise } from '../page-parts.tsx';
import type { PageProps } from '../page-parts.tsx';
import type { Me } from '../door.ts';
import { useQuestion } from '../question.tsx';
import type { Customer, StaffApi } from '../staff-api.ts';
import { useTold } from '../use-told.ts';
import { OpenRecovery } from '../recoveries/open-recovery.tsx';
import { Ceremonies } from '../reading/ceremonies.tsx';
import { Revealed } from '../reading/revealed.tsx';
import { freezeChange, liftFreezeChange, releaseChange } from './changes.ts';
import { Devices } from './devices.tsx';
import { Sessions } from './sessions.tsx';

/** A customer's page stays open during a call: what happens on the phone shows here soon. */
const LOOK_EVERY_MS = 5_000;

export interface CustomerPageProps extends PageProps {
  readonly customerId: string;
}

export function CustomerPage({ customerId, ...page }: CustomerPageProps) {
  const { api, me, onLost, onRefused } = page;
  const customer = useTold(
    useCallback(() => api.customer(customerId), [api, customerId]),
    LOOK_EVERY_MS,
  );
  const sessions = useTold(
    useCallback(() => api.sessions(customerId), [api, customerId]),
    LOOK_EVERY_MS,
  );
  const isLost = [customer, sessions].some(({ trouble }) => trouble?.kind === 'logged-out');
  useEffect(() => {
    if (isLost) onLost();
  }, [isLost, onLost]);
  const question = useQuestion(page, () => {
    customer.refresh();
    sessions.refresh();
  });
  return (
    <div className="customer">
      {question.done}
      <Told shown={customer} forbidden={words.forbidden.customers}>
        {(value) => (
          <div className="desk">
            <div className="desk-side">
              <Person customer={value} api={api} onLost={onLost} onRefused={onRefused} />
            </div>
            <div className="desk-main">
              <Stops customer={value} me={me} api={api} onChange={question.ask} />
              <OpenRecovery api={api} customer={value} onChange={question.ask} />
              <Sessions shown={sessions} api={api} onChange={question.ask} />
              <Devices
                devices={value.devices}
                sessions={sessions.value?.sessions ?? []}
                api={api}
                me={me}
                onChange={question.ask}
              />
              <Ceremonies api={api} customerId={customerId} />
            </div>
          </div>
        )}
      </Told>
      {question.dialog()}
    </div>
  );
}

function Person({
  customer,
  ...page
}: Pick<PageProps, 'api' | 'onLost' | 'onRefused'> & { readonly customer: Customer }) {
  const { customer: text } = words;
  const facts: readonly (readonly [string, React.ReactNode])[] = [
    [text.phone, customer.phone ?? text.none],
    [text.email, customer.email ?? text.none],
    [text.since, <Moment key="since" iso={customer.createdAt} />],
    [text.epoch, String(customer.epoch)],
    [text.id, <code key="id">{customer.customerId}</code>],
  ];
  return (
    <section className="card" aria-labelledby="person">
      <h1 id="person">{text.title(customer.givenName)}</h1>
      <p>
        <Tag tone={customer.status === 'active' ? 'good' : 'plain'}>
          {text.statuses[customer.status]}
        </Tag>
      </p>
      <dl className="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Revealed {...page} customer={customer} />
      <Link to={callAddress(customer.customerId)} kind="primary">
        {text.call}
      </Link>
    </section>
  );
}

/** What stands between the customer and the account, and who set it. */
function Stops({
  customer,
  me,
  api,
  onChange,
}: {
  readonly customer: Customer;
  readonly me: Me;
  readonly api: StaffApi;
  readonly onChange: (change: Change) => void;
}) {
  const { hold, frozenUntil } = customer;
  const { customer: text, freeze } = words;
  const nowMs = useNow(30_000);
  return (
    <>
      {hold !== null && (
        <Banner
          tone="danger"
          title={text.held(hold.reason.replaceAll('_', ' '))}
          action={
            hold.approvalId === null ? (
              <Button
                size="dense"
                onPress={() => {
                  onChange(releaseChange(api, hold));
                }}
              >
                {text.releaseAct}
              </Button>
            ) : (
              <p>{text.releaseAsked}</p>
            )
          }
        >
          {hold.placedBy}, <Ago iso={hold.placedAt} />
        </Banner>
      )}
      {frozenUntil === null && customer.status === 'active' && (
        <p className="open-recovery">
          <Button
            size="dense"
            kind="danger"
            onPress={() => {
              onChange(freezeChange(api, customer));
            }}
          >
            {freeze.act}
          </Button>
        </p>
      )}
      {frozenUntil !== null && (
        <Banner
          tone="wait"
          action={
            <Allowed
              act={freeze.lift}
              because={maySupervise(me) ? undefined : freeze.liftForbidden}
              onPress={() => {
                onChange(liftFreezeChange(api, customer));
              }}
            />
          }
        >
          <span title={fullTimeOf(frozenUntil)}>{text.frozen(momentOf(frozenUntil, nowMs))}</span>
        </Banner>
      )}
    </>
  );
}
