/** Where a case stands: what is done, who acts now, until when. Every screen of a case carries it, so that nobody has to remember. */
import type { RecoveryState, RecoveryView } from '../../../sdk/recovery-types.ts';
import { texts } from '../../texts/texts.ts';
import { Icon } from '../../parts/icons.tsx';
import { Button, Tag } from '../../parts/parts.tsx';
import { fullTimeOf, momentOf, useNow } from '../../parts/time.ts';
import { usePhone } from '../phone-context.ts';

const STEPS = ['contact', 'identity', 'review', 'cooling', 'rebind'] as const;
type Step = (typeof STEPS)[number];

/** While it is held, what is proved tells how far it had come. */
function stepNow({ state, missing }: RecoveryView): Step | undefined {
  const isStep = (name: RecoveryState): name is Step => STEPS.some((step) => step === name);
  if (isStep(state)) return state;
  if (state !== 'held') return undefined;
  if (missing.includes('contact') || missing.includes('second_contact')) return 'contact';
  return missing.includes('identity') ? 'identity' : 'review';
}

export function Road({ view }: { readonly view: RecoveryView }) {
  const { road: words } = texts.recovery;
  const step = stepNow(view);
  // One message has arrived, and the road would say that of the one to come.
  const isSecond = step === 'contact' && !view.missing.includes('contact');
  const now = step === undefined ? -1 : STEPS.indexOf(step);
  return (
    <ol className="road" aria-label={words.label}>
      {STEPS.map((name, index) => (
        <li
          key={name}
          {...(index < now ? { 'data-state': 'done' } : {})}
          {...(index === now ? { 'data-state': 'now', 'aria-current': 'step' as const } : {})}
        >
          <span className="step-mark" aria-hidden="true">
            {index < now ? <Icon name="check" size={12} /> : index + 1}
          </span>
          {name === step && isSecond ? words.secondContact : words.steps[name]}
          {index < now && <span className="hidden">{words.done}</span>}
        </li>
      ))}
    </ol>
  );
}

/** Whose turn it is, and when something happens at the latest. */
export function Turn({
  view,
  hasTime = true,
}: {
  readonly view: RecoveryView;
  readonly hasTime?: boolean;
}) {
  const nowMs = useNow(10_000);
  const { actor, nextAt, stepExpiresAt } = view;
  const words = texts.recovery;
  const until = actor === 'customer' ? stepExpiresAt : nextAt;
  return (
    <p className="turn">
      <Tag tone={actor === 'customer' ? 'good' : 'wait'}>{words.actors[actor]}</Tag>
      {hasTime && until !== undefined && (
        <time dateTime={until} title={fullTimeOf(until)}>
          {(actor === 'customer' ? words.yourTurn : words.next)(momentOf(until, nowMs))}
        </time>
      )}
    </p>
  );
}

export function GiveUp() {
  const [{ busy }, model] = usePhone();
  return (
    <Button kind="quiet" isBusy={busy === 'cancel'} onPress={() => void model.recovering.cancel()}>
      {texts.recovery.cancel}
    </Button>
  );
}
