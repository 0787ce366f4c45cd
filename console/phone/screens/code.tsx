/** The code from the SMS or the e-mail: typed, pasted or taken over by a tap in the inbox. */
import type { EnrollmentView, SentCode } from '../../../sdk/types.ts';
import { texts } from '../../texts/texts.ts';
import { countdown, useNow } from '../../parts/time.ts';
import { Button, Field } from '../../parts/parts.tsx';
import { usePhone } from '../phone-context.ts';
import { Page } from './page.tsx';

export function CodeScreen({ view }: { readonly view: EnrollmentView }) {
  const [{ busy, draftCode, problem }, model] = usePhone();
  const { code: words } = texts.phone;
  const isPhone = view.state === 'phone';
  const digits = view.code?.digits ?? 6;
  return (
    <Page
      title={isPhone ? words.phoneTitle : words.emailTitle}
      {...(view.code === undefined ? {} : { text: words.sentTo(view.code.sentTo) })}
      step={isPhone ? 1 : 4}
      refusalNote={
        problem?.code === 'wrong_code' &&
        view.code !== undefined &&
        words.attemptsLeft(view.code.attemptsLeft)
      }
      onSubmit={() => void model.enrolling.submitCode(draftCode)}
      actions={
        <>
          <Button
            kind="primary"
            type="submit"
            isBusy={busy === 'code'}
            isDisabled={draftCode.length < digits}
          >
            {words.confirm}
          </Button>
          <Button
            kind="quiet"
            isBusy={busy === 'cancel'}
            onPress={() => {
              if (isPhone) void model.enrolling.cancel();
              else model.enrolling.changeEmail(true);
            }}
          >
            {isPhone ? words.otherNumber : words.otherAddress}
          </Button>
        </>
      }
    >
      <Field
        label={words.label}
        look="code"
        inputMode="numeric"
        autoComplete="one-time-code"
        maxLength={digits}
        value={draftCode}
        onChange={(typed) => {
          model.enrolling.setDraftCode(typed.replaceAll(/\D/g, ''));
        }}
        autoFocus
      />
      {view.code !== undefined && (
        <CodeClock code={view.code} onResend={() => void model.enrolling.resendCode()} />
      )}
    </Page>
  );
}

/** How long the code lives and when another may be sent. */
export function CodeClock({
  code,
  onResend,
}: {
  readonly code: SentCode;
  readonly onResend: () => void;
}) {
  const nowMs = useNow();
  const [{ busy }] = usePhone();
  const { code: words } = texts.phone;
  const resendInMs = Date.parse(code.resendAt) - nowMs;
  const leftMs = Date.parse(code.expiresAt) - nowMs;
  const canResend = resendInMs <= 0 && code.resendsLeft > 0;
  return (
    <div className="code-clock">
      <span className={leftMs > 0 ? undefined : 'is-over'}>
        {leftMs > 0 ? words.validFor(countdown(leftMs)) : words.expired}
      </span>
      {code.resendsLeft === 0 ? (
        <span>{words.noMore}</span>
      ) : (
        <button
          className="link"
          type="button"
          disabled={!canResend || busy !== undefined}
          onClick={onResend}
        >
          {canResend ? words.resend : words.resendIn(countdown(resendInMs))}
        </button>
      )}
    </div>
  );
}
