/** The left and the middle of a case: the person masked, what speaks for care, the proofs with what each is worth, the phones, and what happened. */
import { Icon } from '../../parts/icons.tsx';
import { Tag } from '../../parts/parts.tsx';
import { exactTimeOf } from '../../parts/time.ts';
import { customerAddress } from '../address.ts';
import { Link } from '../link.tsx';
import { Ago, Moment } from '../page-parts.tsx';
import type { CaseEntry, LedgerFactor, RecoveryCase } from './recovery-api.ts';
import { recoveryTexts as words } from './recovery-texts.ts';

export function Person({
  one,
  canOpenCustomer,
}: {
  readonly one: RecoveryCase;
  readonly canOpenCustomer: boolean;
}) {
  const { page: text } = words;
  const { customer, needed, openedBy, claimedBy } = one;
  const facts: readonly (readonly [string, React.ReactNode])[] = [
    [text.phone, customer.phone ?? text.none],
    [text.email, customer.email ?? text.none],
    [text.report, words.reportWords[one.report]],
    [
      text.opened,
      <span key="opened">
        <Moment iso={one.openedAt} />{' '}
        {openedBy.kind === 'staff'
          ? text.openedBy.staff(openedBy.name ?? '')
          : text.openedBy.customer}
      </span>,
    ],
    [text.policy, text.takes(needed.contacts, needed.people, needed.coolingSeconds)],
    [text.approvals, words.queue.people(needed.approved, needed.people)],
    [text.with, one.isMine ? words.queue.you : (claimedBy?.name ?? words.queue.nobody)],
  ];
  return (
    <section className="card" aria-labelledby="person">
      <h1 id="person">{text.title(customer.givenName)}</h1>
      <p>
        <Tag tone={one.state === 'held' ? 'danger' : one.state === 'ended' ? 'plain' : 'wait'}>
          {words.states[one.state]}
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
      {canOpenCustomer && (
        <Link to={customerAddress(customer.customerId)} kind="secondary">
          {text.toCustomer}
        </Link>
      )}
    </section>
  );
}

export function Doubts({ doubts }: Pick<RecoveryCase, 'doubts'>) {
  const { page: text } = words;
  return (
    <section className="card" aria-labelledby="doubts">
      <h2 id="doubts">{text.doubtsTitle}</h2>
      {doubts.length === 0 ? (
        <p className="quiet">{text.noDoubts}</p>
      ) : (
        <ul className="doubts">
          {doubts.map((doubt) => (
            <li key={doubt}>
              <Icon name="warning" size={16} /> {words.doubts[doubt] ?? doubt}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

export function Ledger({ one }: { readonly one: RecoveryCase }) {
  const { page: text } = words;
  const { missing } = one.needed;
  return (
    <section className="card" aria-labelledby="ledger">
      <h2 id="ledger">{text.ledgerTitle}</h2>
      {one.ledger.length === 0 && <p className="quiet">{text.noProofs}</p>}
      <ul className="ledger">
        {one.ledger.map((factor) => (
          <Proof key={factor.factorId} factor={factor} />
        ))}
      </ul>
      {missing.length > 0 && one.state !== 'ended' && (
        <p className="missing">
          {text.stillMissing(missing.map((name) => text.missing[name] ?? name).join(', '))}
        </p>
      )}
      {missing.includes('second_contact') && one.state !== 'ended' && (
        <p className="quiet">{text.insteadOfContact}</p>
      )}
    </section>
  );
}

function Proof({ factor }: { readonly factor: LedgerFactor }) {
  const { proof: text, strengths, methods } = words;
  const { recordedBy, strength, confirmedBy, isVoid } = factor;
  const isWaiting = factor.needsSecondPerson && confirmedBy === null && !isVoid;
  return (
    <li data-void={isVoid}>
      <span>
        <strong>{methods[factor.method] ?? factor.method}</strong>
        <small>
          {recordedBy.name ?? text.by[recordedBy.kind]}, <Ago iso={factor.recordedAt} />
          {confirmedBy !== null && `; ${text.confirmed(confirmedBy)}`}
          {factor.isOnReportedPhone && `; ${text.reportedPhone}`}
        </small>
      </span>
      <Tag tone={isWaiting ? 'wait' : strength === 0 ? 'plain' : 'good'}>
        {isVoid ? text.void : isWaiting ? text.unconfirmed : strengths[strength]}
      </Tag>
    </li>
  );
}

export function Phones({ devices }: Pick<RecoveryCase, 'devices'>) {
  const { page: text } = words;
  if (devices.length === 0) return null;
  return (
    <section className="card" aria-labelledby="phones">
      <h2 id="phones">{text.devicesTitle}</h2>
      <ul className="ledger">
        {devices.map((device) => (
          <li key={device.deviceId}>
            <span>
              <strong>{device.name}</strong>
              <small>
                {device.platform}, {device.status}
              </small>
            </span>
            {device.isReported && <Tag tone="danger">{text.reported}</Tag>}
            {device.isNew && <Tag tone="good">{text.isNew}</Tag>}
          </li>
        ))}
      </ul>
    </section>
  );
}

export function Timeline({
  timeline,
  isLive,
}: Pick<RecoveryCase, 'timeline'> & { readonly isLive: boolean }) {
  const { page: text } = words;
  return (
    <section className="card" aria-labelledby="timeline">
      <header className="card-head">
        <h2 id="timeline">{text.timelineTitle}</h2>
        {isLive && (
          <Tag tone="good" icon="check">
            {text.live}
          </Tag>
        )}
      </header>
      <ol className="entries">
        {timeline.toReversed().map((entry) => (
          <Entry key={entry.position} entry={entry} />
        ))}
      </ol>
    </section>
  );
}

function Entry({ entry }: { readonly entry: CaseEntry }) {
  const { by, detail, action } = entry;
  return (
    <li>
      <time dateTime={entry.at} title={entry.at}>
        {exactTimeOf(entry.at)}
      </time>
      <span>
        <strong>{words.entries[action] ?? action.replaceAll(/[._]/g, ' ')}</strong>
        <small>
          {by.name ?? words.actors[by.kind] ?? by.kind}
          {detailWords(detail)}
        </small>
      </span>
    </li>
  );
}

/** The words for what is known; nothing for a figure. */
function detailWords(detail: CaseEntry['detail']): string {
  const method = words.methods[String(detail['method'])];
  const to = Object.entries(words.states).find(([state]) => state === detail['to'])?.[1];
  const why = detail['reason'] ?? detail['because'];
  const said = [
    method,
    detail['from'] === detail['to'] ? undefined : to,
    typeof why === 'string' && !why.includes('_0') ? why.replaceAll('_', ' ') : undefined,
  ].filter((one) => one !== undefined);
  return said.length === 0 ? '' : `: ${said.join(', ')}`;
}
