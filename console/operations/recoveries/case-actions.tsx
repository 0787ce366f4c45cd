/** The right of a case: what this person may do now, one of it first, and what not, greyed with the reason. */
import { Button } from '../../parts/parts.tsx';
import type { RecoveryAction, RecoveryCase } from './recovery-api.ts';
import { deskTexts } from './desk-texts.ts';
import { recoveryTexts as words } from './recovery-texts.ts';

/** What makes an action pointless rather than forbidden: it is left out. */
const POINTLESS = ['yours_already', 'nobody_has_it', 'nothing_to_confirm'];
/** The one that stands first, when it may be done. */
const FIRST: readonly RecoveryAction[] = ['approve', 'release', 'confirm_evidence', 'claim'];

export function CaseActions({
  one,
  canGetRecord,
  recordAddress,
  onAct,
}: {
  readonly one: RecoveryCase;
  readonly canGetRecord: boolean;
  readonly recordAddress: string;
  readonly onAct: (action: RecoveryAction) => void;
}) {
  const { page: text } = words;
  const may = one.actions.filter(({ because }) => because === null);
  const mayNot = one.actions.filter(
    ({ action, because }) =>
      because !== null &&
      !POINTLESS.includes(because) &&
      // Nobody looks for a release of what is not held.
      (action !== 'release' || one.state === 'held'),
  );
  const isEnded = one.state === 'ended';
  const isReader =
    mayNot.length > 0 && mayNot.every(({ because }) => because === 'staff_role_missing');
  const primary = FIRST.find((action) => may.some((one_) => one_.action === action));
  // The one thing first, what ends it last.
  const rank = (action: RecoveryAction) => (action === primary ? 0 : action === 'refuse' ? 2 : 1);
  const sorted = may.toSorted((a, b) => rank(a.action) - rank(b.action));
  return (
    <section className="card case-actions" aria-labelledby="actions">
      <h2 id="actions">{text.actionsTitle}</h2>
      {isEnded && <p className="quiet">{text.nothingLeft}</p>}
      {!isEnded && isReader && <p className="quiet">{words.reader}</p>}
      {sorted.length > 0 && (
        <ul className="acts">
          {sorted.map(({ action }) => (
            <li key={action}>
              <Button
                size="dense"
                kind={action === primary ? 'primary' : action === 'refuse' ? 'danger' : 'secondary'}
                onPress={() => {
                  onAct(action);
                }}
              >
                {deskTexts.acts[action].act}
              </Button>
            </li>
          ))}
        </ul>
      )}
      {!isEnded && !isReader && mayNot.length > 0 && (
        <>
          <h3>{text.notNow}</h3>
          <ul className="not-now">
            {mayNot.map(({ action, because }) => (
              <li key={action}>
                <span aria-disabled="true">{deskTexts.acts[action].act}</span>
                <small>{words.why[because ?? ''] ?? because}</small>
              </li>
            ))}
          </ul>
        </>
      )}
      {canGetRecord && (
        <a className="button" data-kind="secondary" data-size="dense" href={recordAddress} download>
          {text.record}
        </a>
      )}
    </section>
  );
}

export function endWords({ outcome, reason }: RecoveryCase): string {
  const { ends, reasons } = words.page;
  return [reasons[reason ?? ''], ends[outcome ?? '']]
    .filter((said) => said !== undefined)
    .join(' ');
}
