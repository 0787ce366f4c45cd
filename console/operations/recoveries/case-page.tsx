/** One case of recovery: the person and the proofs, what happened as it happens, and what this person may do now. */
import { useEffect } from 'react';
import { Banner } from '../../parts/parts.tsx';
import { ago, momentOf, useNow } from '../../parts/time.ts';
import { Link } from '../link.tsx';
import { mayServe, maySupervise, Told } from '../page-parts.tsx';
import type { PageProps } from '../page-parts.tsx';
import { useQuestion } from '../question.tsx';
import { CaseActions, endWords } from './case-actions.tsx';
import { blockedBy, caseChange, type CaseChange } from './case-changes.ts';
import { Doubts, Ledger, Person, Phones, Timeline } from './case-parts.tsx';
import type { RecoveryCase } from './recovery-api.ts';
import { recoveryTexts as words } from './recovery-texts.ts';
import { useCase } from './use-case.ts';

const VENDOR_SILENT_MS = 120_000;

export function CasePage(props: PageProps & { readonly recoveryId: string }) {
  const { api, me, onLost, recoveryId } = props;
  const { shown, isLive } = useCase(api, recoveryId);
  const question = useQuestion<CaseChange>(props, shown.refresh);
  const { change } = question;
  const blocked =
    change === undefined || shown.value === undefined ? undefined : blockedBy(change, shown.value);
  const isLost = shown.trouble?.kind === 'logged-out';
  useEffect(() => {
    if (isLost) onLost();
  }, [isLost, onLost]);
  const canGetRecord = maySupervise(me) || me.roles.includes('auditor');
  return (
    <div className="case">
      <p className="case-back">
        <Link to="/recoveries">{words.page.back}</Link>
      </p>
      {question.done}
      <Told shown={shown} forbidden={words.forbidden}>
        {(one) => (
          <>
            <Standing one={one} isLive={isLive || shown.trouble !== undefined} atMs={shown.atMs} />
            <div className="case-columns">
              <div className="case-left">
                <Person one={one} canOpenCustomer={mayServe(me)} />
                <Doubts doubts={one.doubts} />
                <Ledger one={one} />
                <Phones devices={one.devices} />
              </div>
              <div className="case-middle">
                <Timeline timeline={one.timeline} isLive={isLive} />
              </div>
              <div className="case-right">
                <CaseActions
                  one={one}
                  canGetRecord={canGetRecord}
                  recordAddress={api.recoveries.recordAddress(recoveryId)}
                  onAct={(action) => {
                    question.ask(caseChange(action, one, { api, me }));
                  }}
                />
              </div>
            </div>
          </>
        )}
      </Told>
      {question.dialog(blocked)}
    </div>
  );
}

/** What stands above everything: how old it is, who has it, what stops it, and its end. */
function Standing({
  one,
  isLive,
  atMs,
}: {
  readonly one: RecoveryCase;
  /** Or something graver is said already. */
  readonly isLive: boolean;
  readonly atMs: number;
}) {
  const { page: text } = words;
  const nowMs = useNow();
  const waitingMs =
    one.liveness.waitingSince === null ? undefined : new Date(one.liveness.waitingSince).getTime();
  const isVendorSilent =
    waitingMs !== undefined && one.state !== 'ended' && nowMs - waitingMs > VENDOR_SILENT_MS;
  const colleague = one.isMine || one.state === 'ended' ? undefined : one.claimedBy?.name;
  return (
    <div className="case-standing">
      {!isLive && <Banner tone="wait">{text.lost(ago(atMs, nowMs))}</Banner>}
      {colleague !== undefined && <Banner tone="plain">{text.taken(colleague)}</Banner>}
      {one.state === 'held' && (
        <Banner tone="danger" title={text.heldTitle}>
          {one.customer.isOnHold ? text.onHold : text.held}
        </Banner>
      )}
      {one.state === 'review' && one.escalatedAt !== null && (
        <Banner tone="wait">{text.overdue}</Banner>
      )}
      {isVendorSilent && (
        <Banner tone="wait" title={text.vendorTitle(ago(waitingMs, nowMs))}>
          {text.vendorSilent}
        </Banner>
      )}
      {one.state === 'ended' && (
        <Banner tone={one.outcome === 'completed' ? 'good' : 'plain'}>
          {endWords(one)}
          {one.limitedUntil !== null && ` ${text.limited(momentOf(one.limitedUntil, nowMs))}`}
        </Banner>
      )}
    </div>
  );
}
