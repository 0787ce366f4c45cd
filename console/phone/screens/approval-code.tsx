/** The code that names the payment: the action stays in sight, so that both can be compared. */
import type { CustomerStepUp, SentCode } from '../../../sdk/types.ts';
import { texts } from '../../texts/texts.ts';
import { Button, Field } from '../../parts/parts.tsx';
import { usePhone } from '../phone-context.ts';
import { CodeClock } from './code.tsx';
import { Page } from './page.tsx';

export function ApprovalCodeScreen({ view }: { readonly view: CustomerStepUp }) {
  const [{ busy, draftCode }, model] = usePhone();
  const { approvals: words, phone } = texts;
  const [amount, payee] = view.display?.fields ?? [];
  return (
    <Page
      title={words.code.title}
      {...(view.code === undefined ? {} : { text: phone.code.sentTo(view.code.sentTo) })}
      refusalNote={<TriesLeft code={view.code} />}
      onSubmit={() => void model.approvals.submitCode(draftCode)}
      actions={
        <div className="approval-answers">
          <Button
            kind="secondary"
            isBusy={busy === 'not_me'}
            onPress={() => void model.approvals.deny('not_me')}
          >
            {words.notMe}
          </Button>
          <Button
            kind="primary"
            type="submit"
            isBusy={busy === 'code'}
            isDisabled={draftCode.length < (view.code?.digits ?? 6)}
          >
            {words.approve}
          </Button>
        </div>
      }
    >
      {amount !== undefined && payee !== undefined && (
        <p className="approval-again">
          <strong>{amount.value}</strong> {words.to} <strong>{payee.value}</strong>
        </p>
      )}
      <CodeField code={view.code} />
      {view.code !== undefined && (
        <CodeClock code={view.code} onResend={() => void model.approvals.resendCode()} />
      )}
      <p className="quiet">{words.code.compare}</p>
    </Page>
  );
}

export function CodeField({ code }: { readonly code: SentCode | undefined }) {
  const [{ draftCode }, model] = usePhone();
  return (
    <Field
      label={texts.phone.code.label}
      look="code"
      inputMode="numeric"
      autoComplete="one-time-code"
      maxLength={code?.digits ?? 6}
      value={draftCode}
      onChange={(typed) => {
        model.enrolling.setDraftCode(typed.replaceAll(/\D/g, ''));
      }}
      autoFocus
    />
  );
}

export function TriesLeft({ code }: { readonly code: SentCode | undefined }) {
  const [{ problem }] = usePhone();
  if (problem?.code !== 'wrong_code' || code === undefined) return null;
  return <>{texts.phone.code.attemptsLeft(code.attemptsLeft)}</>;
}
