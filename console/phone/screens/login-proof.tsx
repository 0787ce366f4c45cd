/** A login that needs one more proof: only the code is asked for, and nothing of the customer is shown yet. */
import type { NeededProof } from '../../../sdk/login-step-up.ts';
import type { LoginStepUp } from '../../../sdk/types.ts';
import { texts } from '../../texts/texts.ts';
import { Button } from '../../parts/parts.tsx';
import { usePhone } from '../phone-context.ts';
import { CodeField, TriesLeft } from './approval-code.tsx';
import { CodeClock } from './code.tsx';
import { Page } from './page.tsx';

export function LoginProofScreen({
  proof,
  view,
}: {
  readonly proof: NeededProof;
  readonly view: LoginStepUp | undefined;
}) {
  const [{ busy, draftCode }, { loginProof }] = usePhone();
  const { login: words } = texts.approvals;
  return (
    <Page
      title={words.title}
      text={proof.sentTo === undefined ? words.text : words.textTo(proof.sentTo)}
      refusalNote={<TriesLeft code={view?.code} />}
      onSubmit={() => void loginProof.submitCode(draftCode)}
      actions={
        <>
          <Button
            kind="primary"
            type="submit"
            isBusy={busy === 'code'}
            isDisabled={draftCode.length < (view?.code?.digits ?? 6)}
          >
            {words.confirm}
          </Button>
          <Button
            kind="quiet"
            onPress={() => {
              loginProof.leave();
            }}
          >
            {words.leave}
          </Button>
        </>
      }
    >
      <CodeField code={view?.code} />
      {view?.code !== undefined && (
        <CodeClock code={view.code} onResend={() => void loginProof.resendCode()} />
      )}
    </Page>
  );
}
