/** What somebody prepared and somebody else decides, the waiting ones first. Who may not decide sees why. */
import { useCallback, useEffect } from 'react';
import { Tag } from '../../parts/parts.tsx';
import { momentOf, useNow } from '../../parts/time.ts';
import { customerAddress } from '../address.ts';
import type { Change } from '../confirm.tsx';
import { consoleTexts as words } from '../console-texts.ts';
import type { Me } from '../door.ts';
import { Link } from '../link.tsx';
import { Ago, Allowed, maySupervise, Told } from '../page-parts.tsx';
import type { PageProps } from '../page-parts.tsx';
import type { Approval, StaffApi } from '../staff-api.ts';
import { useQuestion } from '../question.tsx';
import { SecondPerson } from '../recoveries/second-person.tsx';
import { useTold } from '../use-told.ts';

const LOOK_EVERY_MS = 5_000;

export function ApprovalsPage(page: PageProps) {
  const { api, me, onLost } = page;
  const { approvals: text } = words;
  const shown = useTold(
    useCallback(() => api.approvals(), [api]),
    LOOK_EVERY_MS,
  );
  const question = useQuestion(page, shown.refresh);
  const isLost = shown.trouble?.kind === 'logged-out';
  useEffect(() => {
    if (isLost) onLost();
  }, [isLost, onLost]);
  return (
    <section className="card approvals" aria-labelledby="approvals">
      <h1 id="approvals">{text.title}</h1>
      <p className="quiet">{text.text}</p>
      {question.done}
      <Told shown={shown} forbidden={words.forbidden.approvals}>
        {({ approvals }) => {
          const waiting = approvals.filter(({ status }) => status === 'pending');
          const decided = approvals.filter(({ status }) => status !== 'pending');
          return (
            <>
              {waiting.length === 0 && <p className="nothing">{text.empty}</p>}
              <ul className="requests">
                {waiting.map((approval) => (
                  <Waiting
                    key={approval.approvalId}
                    approval={approval}
                    me={me}
                    onDecide={(decision) => {
                      question.ask(decisionChange(api, approval, decision));
                    }}
                  />
                ))}
              </ul>
              {decided.length > 0 && <h2>{text.before}</h2>}
              <ul className="requests">
                {decided.map((approval) => (
                  <Decided key={approval.approvalId} approval={approval} />
                ))}
              </ul>
            </>
          );
        }}
      </Told>
      <SecondPerson api={api} />
      {question.dialog()}
    </section>
  );
}

function Waiting({
  approval,
  me,
  onDecide,
}: {
  readonly approval: Approval;
  readonly me: Me;
  readonly onDecide: (decision: 'approve' | 'decline') => void;
}) {
  const { approvals: text } = words;
  const nowMs = useNow(30_000);
  const role = maySupervise(me) ? undefined : text.onlySupervisors;
  // The database compares natural persons; the page knows the account.
  const own = approval.preparedByName === me.name ? text.own : undefined;
  return (
    <li>
      <span>
        <strong>{text.what(approval.reason.replaceAll('_', ' '))}</strong>
        <small>
          {approval.preparedByName}, <Ago iso={approval.preparedAt} />;{' '}
          {text.until(momentOf(approval.expiresAt, nowMs))}
        </small>
      </span>
      <Link to={customerAddress(approval.customerId)}>
        <code title={approval.customerId}>{`cus_…${approval.customerId.slice(-8)}`}</code>
      </Link>
      <span className="device-acts">
        <Allowed
          act={text.approve}
          kind="primary"
          because={role ?? own}
          onPress={() => {
            onDecide('approve');
          }}
        />
        <Allowed
          act={text.decline}
          because={role}
          onPress={() => {
            onDecide('decline');
          }}
        />
      </span>
    </li>
  );
}

function Decided({ approval }: { readonly approval: Approval }) {
  const { approvals: text } = words;
  return (
    <li>
      <span>
        {text.what(approval.reason.replaceAll('_', ' '))}
        <small>
          {approval.preparedByName}, <Ago iso={approval.preparedAt} />
        </small>
      </span>
      <Tag tone={approval.status === 'approved' ? 'good' : 'plain'}>
        {text.statuses[approval.status]}
      </Tag>
      {approval.decidedByName !== null && <small>{text.decidedBy(approval.decidedByName)}</small>}
    </li>
  );
}

function decisionChange(
  api: StaffApi,
  { approvalId }: Approval,
  decision: 'approve' | 'decline',
): Change {
  const { approvals: text } = words;
  const isApproval = decision === 'approve';
  return {
    title: isApproval ? text.approveTitle : text.declineTitle,
    effects: isApproval ? text.approveEffects : text.declineEffects,
    reasons: [],
    act: isApproval ? text.approve : text.decline,
    isDangerous: false,
    send: (_reason, key) => api.decide(approvalId, decision, key),
    done: isApproval ? text.approved : text.declined,
  };
}
