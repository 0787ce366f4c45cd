/** One screen of the phone: one question, its answer, its actions at the thumb. */
import type { FormEvent, ReactNode } from 'react';
import { texts, problemText } from '../../texts/texts.ts';
import type { ProblemText } from '../../texts/texts.ts';
import { Icon } from '../../parts/icons.tsx';
import { Banner } from '../../parts/parts.tsx';
import { usePhone } from '../phone-context.ts';
import type { PhoneState } from '../phone-state.ts';

export interface PageProps {
  readonly title: string;
  readonly isTitleHidden?: boolean;
  readonly text?: string;
  /** Which step of enrollment this is, from 1. */
  readonly step?: number;
  readonly onBack?: () => void;
  readonly actions?: ReactNode;
  readonly children?: ReactNode;
  /** Makes the page a form. */
  readonly onSubmit?: () => void;
  /** On a page with one field: what is wrong with it when the request does not fit. */
  readonly misfit?: ProblemText;
  /** Stands behind the refusal's own words. */
  readonly refusalNote?: ReactNode;
}

export const STEPS = 5;

export function Page(props: PageProps) {
  const { title, text, step, onBack, actions, children, onSubmit } = props;
  const content = (
    <>
      <div className="page-head">
        {onBack !== undefined && (
          <button className="back" type="button" onClick={onBack} aria-label={texts.phone.back}>
            <Icon name="back" />
          </button>
        )}
        {step === undefined ? <Brand /> : <Progress step={step} />}
      </div>
      <div className="page-body">
        <h2 className={props.isTitleHidden === true ? 'hidden' : 'page-title'} tabIndex={-1}>
          {title}
        </h2>
        {text !== undefined && <p className="page-text">{text}</p>}
        {children}
        <Outcome misfit={props.misfit} refusalNote={props.refusalNote} />
      </div>
      {actions !== undefined && <div className="page-actions">{actions}</div>}
    </>
  );
  if (onSubmit === undefined) return <div className="page">{content}</div>;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <form className="page" onSubmit={submit} noValidate autoComplete="off">
      {content}
    </form>
  );
}

export function Brand() {
  return (
    <span className="brand">
      <span className="brand-mark" aria-hidden="true" />
      {texts.phone.bank}
    </span>
  );
}

function Progress({ step }: { readonly step: number }) {
  return (
    <div
      className="progress"
      role="progressbar"
      aria-valuemin={1}
      aria-valuemax={STEPS}
      aria-valuenow={step}
      aria-label={texts.phone.progress(step, STEPS)}
    >
      {Array.from({ length: STEPS }, (_, index) => (
        <i key={index} data-done={index < step || undefined} />
      ))}
    </div>
  );
}

interface OutcomeProps {
  readonly misfit?: ProblemText | undefined;
  readonly refusalNote?: ReactNode;
}

/** What the last action led to, in a customer's words: a notice, or a refusal. Nothing while all is plain. */
export function Outcome({ misfit, refusalNote }: OutcomeProps) {
  const [state] = usePhone();
  const { problem } = state;
  if (problem === undefined) return <NoticeBanner state={state} />;
  const isMisfit = problem.code === 'invalid_request';
  const { title, text } = (isMisfit ? misfit : undefined) ?? problemText(problem);
  const isUnknown = text === texts.problems.unknown.text;
  return (
    <Banner tone="danger" title={title}>
      {text} {refusalNote}
      {isUnknown && problem.requestId !== undefined && (
        <small>{texts.phone.reference(problem.requestId)}</small>
      )}
    </Banner>
  );
}

function NoticeBanner({
  state: { notice, screen, endedSessions, stepUp },
}: {
  readonly state: PhoneState;
}) {
  const { code, loggedOut, passkey, waiting } = texts.phone;
  const isCreating = screen.kind === 'enrollment' && screen.view.state === 'passkey';
  const isRecovering = screen.kind === 'recovery' && screen.view.state === 'rebind';
  switch (notice) {
    case undefined:
      return null;
    case 'passkey_cancelled':
      if (stepUp !== undefined) return <Banner tone="plain">{texts.approvals.cancelled}</Banner>;
      if (isRecovering) return <Banner tone="plain">{texts.recovery.rebind.cancelled}</Banner>;
      return <Banner tone="plain">{isCreating ? passkey.cancelled : loggedOut.cancelled}</Banner>;
    case 'code_resent':
      return <Banner tone="good">{code.resent}</Banner>;
    case 'sessions_ended':
      return (
        <Banner tone="good" title={texts.sessions.ended(endedSessions)}>
          {texts.sessions.endedText(endedSessions)}
        </Banner>
      );
    case 'objected_ended':
      return <ToldBanner words={texts.recovery.notice.objected.ended} />;
    case 'objected_held':
      return <ToldBanner words={texts.recovery.notice.objected.held} />;
    case 'objected_noted':
      return <ToldBanner words={texts.recovery.notice.objected.noted} />;
    case 'objected_stopped':
      return <ToldBanner words={texts.recovery.notice.objected.stopped} />;
    case 'shorten_refused':
      return (
        <Banner tone="wait" title={texts.recovery.notice.shortenRefused.title}>
          {texts.recovery.notice.shortenRefused.text}
        </Banner>
      );
    case 'shortened':
      return <ToldBanner words={texts.recovery.notice.shortened} />;
    case 'went_on':
      return (
        <Banner tone="good" title={waiting.wentOn.title}>
          {waiting.wentOn.text}
        </Banner>
      );
  }
}

function ToldBanner({ words }: { readonly words: ProblemText }) {
  return (
    <Banner tone="good" title={words.title}>
      {words.text}
    </Banner>
  );
}

/** For the people at the stage, so that two minutes are enough; it types, nothing more. */
export function ExampleFiller({ onFill }: { readonly onFill: () => void }) {
  return (
    <button className="filler" type="button" onClick={onFill}>
      {texts.phone.fillForMe}
    </button>
  );
}
