/** The phone: its frame where there is room for one, its status line, and the one screen that is due. */
import { useEffect, useRef } from 'react';
import { isAnswered } from '../../sdk/step-up.ts';
import { texts } from '../texts/texts.ts';
import { timeOf, useNow } from '../parts/time.ts';
import { Button } from '../parts/parts.tsx';
import { MoreAsked } from './more-asked.tsx';
import { usePhone } from './phone-context.ts';
import type { PhoneState, ShownStepUp } from './phone-state.ts';
import { ApprovalCodeScreen } from './screens/approval-code.tsx';
import { ApprovalEndScreen, ApprovedScreen } from './screens/approval-end.tsx';
import { ApprovalScreen } from './screens/approval.tsx';
import { CutOffScreen, HoldScreen } from './screens/cut-off.tsx';
import { CodeScreen } from './screens/code.tsx';
import { EmailScreen } from './screens/email.tsx';
import { DoneScreen, EndedScreen } from './screens/ended.tsx';
import { HistoryScreen } from './screens/history.tsx';
import { HomeScreen } from './screens/home.tsx';
import { FreezeAskScreen } from './screens/freeze-ask.tsx';
import { IdentityScreen } from './screens/identity.tsx';
import { LoggedOutScreen, NumberScreen, WelcomeScreen } from './screens/entry.tsx';
import { LoginProofScreen } from './screens/login-proof.tsx';
import { PasskeyScreen } from './screens/passkey.tsx';
import { Page } from './screens/page.tsx';
import { PayScreen } from './screens/pay.tsx';
import { PaymentScreen } from './screens/payment-end.tsx';
import { ReceiptScreen } from './screens/receipt.tsx';
import { RecoverAskScreen, RecoverElsewhereScreen } from './screens/recover-ask.tsx';
import { RecoverRequestScreen } from './screens/recover-request.tsx';
import { RecoveryScreen } from './screens/recovery-case.tsx';
import { SessionsScreen } from './screens/sessions.tsx';
import { CheckingScreen, StartingScreen } from './screens/waiting.tsx';
import { WaitingSheet } from './waiting-sheet.tsx';

const HEARTBEAT_MS = 4_000;

export function Phone() {
  const [state, model] = usePhone();
  const screen = useRef<HTMLDivElement>(null);
  const name = screenName(state);

  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) void model.lookAfterSession();
    }, HEARTBEAT_MS);
    return () => {
      clearInterval(timer);
    };
  }, [model]);

  useEffect(() => {
    screen.current?.scrollTo({ top: 0 });
    // What had the focus is gone with its screen: whoever uses keys or hears the page goes on at the new question. Nobody elsewhere loses it, and a
    // field takes it by itself.
    const hasField = screen.current?.querySelector('input') !== null;
    if (document.activeElement === document.body && !hasField)
      screen.current?.querySelector('h2')?.focus({ preventScroll: true });
  }, [name]);

  return (
    <div className="phone">
      <StatusLine hasLine={state.waiting?.for !== 'line'} />
      {state.screen.kind === 'home' && state.isMoreAsked && !isAsked(state) && <MoreAsked />}
      <div
        className="phone-screen"
        ref={screen}
        data-screen={name}
        inert={state.waiting !== undefined}
      >
        <CurrentScreen key={name} state={state} />
      </div>
      {state.waiting !== undefined && <WaitingSheet waiting={state.waiting} />}
      <div className="phone-home-bar" aria-hidden="true" />
    </div>
  );
}

function StatusLine({ hasLine }: { readonly hasLine: boolean }) {
  const nowMs = useNow(10_000);
  return (
    <div className="phone-status" aria-hidden="true">
      <span>{timeOf(new Date(nowMs).toISOString())}</span>
      <span className="phone-island" />
      <span className="phone-signal" data-line={hasLine ? undefined : 'lost'}>
        <i />
        <i />
        <i />
        <i />
        <b />
      </span>
    </div>
  );
}

function screenName(state: PhoneState): string {
  const { screen, isChangingEmail, homeView } = state;
  if (screen.kind === 'home' && state.receipt !== undefined && !isAsked(state)) return 'receipt';
  if (screen.kind === 'home' && state.stepUp !== undefined)
    return `step-up-${state.stepUp.view.status}-${state.payment?.status ?? ''}`;
  if (screen.kind === 'home' && state.payment !== undefined)
    return `payment-${state.payment.status}`;
  if (screen.kind === 'home' && homeView !== 'overview') return homeView;
  if (screen.kind === 'recovery') return `recovery-${screen.view.state}`;
  if (screen.kind === 'recover-request') return `recover-${screen.request.status}`;
  if (screen.kind !== 'enrollment') return screen.kind;
  return isChangingEmail ? 'email' : screen.view.state;
}

function CurrentScreen({ state }: { readonly state: PhoneState }) {
  const { screen } = state;
  switch (screen.kind) {
    case 'booting':
      return <BootingScreen />;
    case 'welcome':
      return <WelcomeScreen />;
    case 'number':
      return <NumberScreen />;
    case 'logged-out':
      return <LoggedOutScreen />;
    case 'home':
      return <LoggedInScreen state={state} />;
    case 'login-proof':
      return <LoginProofScreen proof={screen.proof} view={screen.view} />;
    case 'cut-off':
      return <CutOffScreen />;
    case 'hold':
      return <HoldScreen />;
    case 'recover-ask':
      return <RecoverAskScreen />;
    case 'recover-elsewhere':
      return <RecoverElsewhereScreen />;
    case 'recover-request':
      return <RecoverRequestScreen request={screen.request} />;
    case 'recovery':
      return <RecoveryScreen view={screen.view} />;
    case 'freeze-ask':
      return <FreezeAskScreen />;
    case 'enrollment':
      return <EnrollmentScreen state={state} />;
  }
}

/** What waits for an answer comes before everything else, then what became of a payment. */
function LoggedInScreen({ state }: { readonly state: PhoneState }) {
  const { stepUp, payment, receipt } = state;
  if (receipt !== undefined && !isAsked(state)) return <ReceiptScreen receipt={receipt} />;
  const isOfPayment = payment?.stepUpId === stepUp?.view.stepUpId;
  if (stepUp !== undefined && !(isOfPayment && isCarriedOut(state)))
    return <StepUpScreen stepUp={stepUp} />;
  if (payment !== undefined && payment.status !== 'sending')
    return <PaymentScreen payment={payment} />;
  return <HomeView homeView={state.homeView} />;
}

const isAsked = ({ stepUp }: PhoneState): boolean =>
  stepUp !== undefined && !isAnswered(stepUp.view);

function isCarriedOut({ stepUp, payment }: PhoneState): boolean {
  const status = stepUp?.view.status;
  return payment?.status === 'paid' || status === 'approved' || status === 'consumed';
}

function StepUpScreen({ stepUp }: { readonly stepUp: ShownStepUp }) {
  const { view } = stepUp;
  switch (view.status) {
    case 'pending':
      return <ApprovalScreen stepUp={stepUp} />;
    case 'second_factor':
      return <ApprovalCodeScreen view={view} />;
    case 'approved':
      return <ApprovedScreen view={view} />;
    case 'consumed':
    case 'denied':
    case 'expired':
    case 'cancelled':
    case 'superseded':
    case 'revoked':
      return <ApprovalEndScreen view={view} />;
  }
}

function HomeView({ homeView }: Pick<PhoneState, 'homeView'>) {
  switch (homeView) {
    case 'overview':
      return <HomeScreen />;
    case 'sessions':
      return <SessionsScreen />;
    case 'history':
      return <HistoryScreen />;
    case 'pay':
      return <PayScreen />;
  }
}

function EnrollmentScreen({ state }: { readonly state: PhoneState }) {
  if (state.screen.kind !== 'enrollment') return null;
  const { view } = state.screen;
  switch (view.state) {
    case 'starting':
      return <StartingScreen />;
    case 'phone':
      return <CodeScreen view={view} />;
    case 'identity':
      return <IdentityScreen />;
    case 'identity_check':
      return <CheckingScreen view={view} />;
    case 'email':
      return <EmailScreen />;
    case 'email_code':
      return state.isChangingEmail ? <EmailScreen /> : <CodeScreen view={view} />;
    case 'passkey':
      return <PasskeyScreen />;
    case 'ended':
      return view.outcome === 'completed' ? <DoneScreen /> : <EndedScreen view={view} />;
  }
}

function BootingScreen() {
  const [{ problem }, model] = usePhone();
  const { phone } = texts;
  if (problem === undefined)
    return (
      <Page title={phone.booting} isTitleHidden>
        <div className="skeleton" data-size="title" />
        <div className="skeleton" />
        <div className="skeleton" data-size="short" />
      </Page>
    );
  return <Page title={phone.bank} actions={<TryAgain onPress={() => void model.boot()} />} />;
}

function TryAgain({ onPress }: { readonly onPress: () => void }) {
  return (
    <Button kind="primary" onPress={onPress}>
      {texts.phone.tryAgain}
    </Button>
  );
}
