/** Waiting for the contact: the check number, large, for whoever opens the link; or the code, typed here. A GET of the link proves nothing. */
import type { RecoveryRequestView } from '../../../sdk/recovery-types.ts';
import { texts } from '../../texts/texts.ts';
import { Icon } from '../../parts/icons.tsx';
import { Button, Field } from '../../parts/parts.tsx';
import { countdown, useNow } from '../../parts/time.ts';
import { usePhone } from '../phone-context.ts';
import { Page } from './page.tsx';

const DIGITS = 6;

export function RecoverRequestScreen({ request }: { readonly request: RecoveryRequestView }) {
  const { status } = request;
  if (status === 'superseded' || status === 'exhausted' || status === 'expired')
    return <OverScreen status={status} />;
  return <OpenRequest request={request} />;
}

function OpenRequest({ request }: { readonly request: RecoveryRequestView }) {
  const [{ busy, draftCode, problem }, model] = usePhone();
  const nowMs = useNow();
  const { request: words } = texts.recovery;
  const left = problem?.extra['attemptsLeft'];
  return (
    <Page
      title={words.title}
      text={words.text}
      refusalNote={
        problem?.code === 'wrong_code' && typeof left === 'number' && words.triesLeft(left)
      }
      onSubmit={() => void model.recovering.submitCode(draftCode)}
      actions={
        <>
          <Button
            kind="primary"
            type="submit"
            isBusy={busy === 'code'}
            isDisabled={draftCode.length < DIGITS}
          >
            {words.confirm}
          </Button>
          <Button
            kind="quiet"
            isBusy={busy === 'leave'}
            onPress={() => void model.recovering.leaveRequest()}
          >
            {words.again}
          </Button>
        </>
      }
    >
      <section className="check-number" aria-label={words.number}>
        <h3>{words.number}</h3>
        <output>{request.checkNumber}</output>
        <p>{words.numberText}</p>
      </section>
      <p className="or">
        <span>{words.or}</span>
      </p>
      <Field
        label={words.code}
        look="code"
        inputMode="numeric"
        autoComplete="one-time-code"
        maxLength={DIGITS}
        value={draftCode}
        onChange={(typed) => {
          model.enrolling.setDraftCode(typed.replaceAll(/\D/g, ''));
        }}
      />
      <p className="page-note">
        {words.until(countdown(Date.parse(request.expiresAt) - nowMs))}
        <br />
        {words.never}
      </p>
    </Page>
  );
}

function OverScreen({ status }: { readonly status: 'superseded' | 'exhausted' | 'expired' }) {
  const [{ busy }, model] = usePhone();
  const { request: words } = texts.recovery;
  return (
    <Page
      {...words.over[status]}
      actions={
        <Button
          kind="primary"
          isBusy={busy === 'leave'}
          onPress={() => void model.recovering.leaveRequest()}
        >
          {words.askAgain}
        </Button>
      }
    >
      <span className="medal" data-tone="wait">
        <Icon name="warning" size={32} />
      </span>
    </Page>
  );
}
