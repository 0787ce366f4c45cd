/**
 * A call in one column: who, is it them, what now, what to say. One primary button at a time. Nothing is said about the account before the
 * passkey has proved who is on the line.
 */
import { useState } from 'react';
import { Icon } from '../../parts/icons.tsx';
import { Banner, Button, Field, Tag } from '../../parts/parts.tsx';
import { ago, duration, fullTimeOf, useNow } from '../../parts/time.ts';
import { CallRecovery } from '../recoveries/call-recovery.tsx';
import { customerAddress } from '../address.ts';
import { consoleTexts as words } from '../console-texts.ts';
import { Link } from '../link.tsx';
import type { PageProps } from '../page-parts.tsx';
import type { Call } from '../staff-api.ts';
import { useCall } from './use-call.ts';

const CASE_REFERENCE = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,39}$/;
const DAY = new Intl.DateTimeFormat('en-NZ', { day: 'numeric', month: 'short', year: 'numeric' });

type Standing = 'before' | 'waiting' | 'proved' | 'refused' | 'over';

function standingOf(call: Call | undefined): Standing {
  if (call === undefined) return 'before';
  if (call.provedSecondsAgo !== null) return 'proved';
  if (call.status === 'pending') return 'waiting';
  return call.status === 'denied' ? 'refused' : 'over';
}

export function CallPage(page: PageProps & { readonly customerId: string }) {
  const { api, onLost, customerId } = page;
  const { call: text } = words;
  const [reference, setReference] = useState('');
  const [begunMs] = useState(() => Date.now());
  const [wrappedMs, setWrappedMs] = useState<number>();
  const asked = useCall(api, customerId, onLost);
  const nowMs = useNow();
  const standing = standingOf(asked.call);
  const took = duration((wrappedMs ?? nowMs) - begunMs);
  if (wrappedMs !== undefined) return <Wrapped took={took} />;
  const canAsk = standing === 'before' || standing === 'over';
  return (
    <section className="card call" aria-labelledby="call">
      <header className="card-head">
        <h1 id="call">{text.title}</h1>
        <small>
          {took} {text.timer}
        </small>
      </header>
      <h2>{text.who}</h2>
      <p>
        <Link to={customerAddress(customerId)}>
          <code>{`cus_…${customerId.slice(-8)}`}</code>
        </Link>
      </p>
      <Field
        label={text.reference}
        hint={text.referenceHint}
        autoComplete="off"
        autoFocus
        isDisabled={!canAsk}
        value={reference}
        onChange={setReference}
      />
      <h2>{text.isItThem}</h2>
      <div role="status">
        <Proof standing={standing} call={asked.call} nowMs={nowMs} />
      </div>
      {asked.trouble !== undefined && <Banner tone="danger">{asked.trouble}</Banner>}
      <h2>{text.whatNow}</h2>
      <Next
        standing={standing}
        customerId={customerId}
        isBusy={asked.isBusy}
        mayAsk={CASE_REFERENCE.test(reference)}
        onAsk={() => {
          asked.ask(reference);
        }}
        recovery={<CallRecovery {...page} call={asked.call} />}
      />
      <h2>{text.whatToSay}</h2>
      <p className="say">{text.say[standing === 'over' ? 'before' : standing]}</p>
      <footer className="call-foot">
        <p className="quiet">{text.wrapUpText}</p>
        <Button
          size="dense"
          onPress={() => {
            setWrappedMs(Date.now());
          }}
        >
          {text.wrapUp}
        </Button>
      </footer>
    </section>
  );
}

function Wrapped({ took }: { readonly took: string }) {
  const { call: text } = words;
  return (
    <section className="card call" aria-labelledby="call">
      <h1 id="call">{text.wrapped(took)}</h1>
      <Link to="/customers" kind="primary">
        {text.newCall}
      </Link>
    </section>
  );
}

/** The one thing to do now. */
function Next(props: {
  readonly standing: Standing;
  readonly customerId: string;
  readonly isBusy: boolean;
  readonly mayAsk: boolean;
  readonly onAsk: () => void;
  /** For a caller who has proved himself and has a new phone. */
  readonly recovery: React.ReactNode;
}) {
  const { call: text } = words;
  switch (props.standing) {
    case 'before':
    case 'over':
      return (
        <Button
          kind="primary"
          isBusy={props.isBusy}
          isDisabled={!props.mayAsk}
          onPress={props.onAsk}
        >
          {props.standing === 'over' ? text.again : text.ask}
        </Button>
      );
    case 'waiting':
      return <Tag tone="wait">{text.waiting}</Tag>;
    case 'proved':
      return (
        <>
          <Link to={customerAddress(props.customerId)} kind="primary">
            {text.next.proved}
          </Link>
          {props.recovery}
        </>
      );
    case 'refused':
      return <p>{text.next.refused}</p>;
  }
}

function Proof({
  standing,
  call,
  nowMs,
}: {
  readonly standing: Standing;
  readonly call: Call | undefined;
  readonly nowMs: number;
}) {
  const { call: text } = words;
  if (standing === 'proved' && call !== undefined) {
    const { provedSecondsAgo, deviceName, deviceTrustedSince } = call;
    return (
      <Banner tone="good" title={text.proved(ago(nowMs - (provedSecondsAgo ?? 0) * 1000, nowMs))}>
        {deviceName !== null && deviceTrustedSince !== null && (
          <span title={fullTimeOf(deviceTrustedSince)}>
            {text.device(deviceName, DAY.format(new Date(deviceTrustedSince)))}
          </span>
        )}
      </Banner>
    );
  }
  if (standing === 'refused') return <Banner tone="danger">{text.refused}</Banner>;
  if (standing === 'over') return <Banner tone="wait">{text.over}</Banner>;
  return (
    <p className="closed">
      <Icon name="shield" size={16} />
      {text.unproved}
    </p>
  );
}
