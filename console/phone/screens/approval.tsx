/**
 * What the customer is asked for, filling the screen: amount and payee first, then the rest, then the two answers of one size. The action's parts and
 * who asks are the words that are signed, never others (sdk/assert-shown.ts). Around them the screen says in its own words how long there is,
 * what the phone notices and what an answer does.
 */
import { texts } from '../../texts/texts.ts';
import { countdown, fullTimeOf, useNow } from '../../parts/time.ts';
import { Icon } from '../../parts/icons.tsx';
import { Banner, Button } from '../../parts/parts.tsx';
import type { OpenedStepUp, StepUpContext, StepUpDisplay } from '../../../sdk/types.ts';
import { usePhone } from '../phone-context.ts';
import type { ShownStepUp } from '../phone-state.ts';
import { SignedText } from './signed-text.tsx';
import { Brand, Outcome } from './page.tsx';

const FLAGS: readonly (keyof StepUpContext)[] = ['onCall', 'screenShared', 'accessibilityService'];

export function ApprovalScreen({ stepUp }: { readonly stepUp: ShownStepUp }) {
  const { opened } = stepUp;
  if (opened === undefined) return <div className="page" aria-busy="true" />;
  const isCall = opened.type === 'verified_call';
  const { approvals: words } = texts;
  return (
    <div className="page approval" data-type={opened.type}>
      <div className="page-head">
        <Brand />
        <Clock until={opened.approveBy} />
      </div>
      <div className="page-body">
        {isCall ? <CallText display={opened.display} /> : <ActionText opened={opened} />}
        <Notices delaySeconds={opened.delaySeconds} />
        <Outcome />
        {opened.required === 'latchkey:4' && (
          <p className="approval-then">
            <Icon name="message" size={16} /> {words.thenCode}
          </p>
        )}
        <SignedText opened={opened} />
      </div>
      <Answers isCall={isCall} />
    </div>
  );
}

/** Of a payment, amount and payee stand in the title's place; of anything else, the title of the signed text above all of its parts. */
function ActionText({ opened }: { readonly opened: OpenedStepUp }) {
  const { display, requester, type } = opened;
  const { approvals: words } = texts;
  const [first, second, ...rest] = display.fields;
  const isPayment = type === 'payment' && first !== undefined && second !== undefined;
  return (
    <>
      <p className="approval-asks">{words.asks(requester.name)}</p>
      {isPayment ? (
        <h2 className="approval-hero" tabIndex={-1}>
          <strong>{first.value}</strong>
          <span className="approval-to">{words.to}</span>
          <span className="approval-payee">{second.value}</span>
        </h2>
      ) : (
        <h2 className="page-title" tabIndex={-1}>
          {titleOf(display)}
        </h2>
      )}
      <dl className="approval-facts">
        {(isPayment ? rest : display.fields).map(({ label, value }) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

function CallText({ display }: { readonly display: StepUpDisplay }) {
  const { call } = texts.approvals;
  return (
    <>
      <h2 className="page-title approval-call" tabIndex={-1}>
        {titleOf(display)}
      </h2>
      <dl className="approval-facts">
        {display.fields.map(({ label, value }) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Banner tone="wait">{call.otherwise}</Banner>
    </>
  );
}

function titleOf({ text }: StepUpDisplay): string {
  return text.split('\n')[0] ?? text;
}

function Notices({ delaySeconds }: { readonly delaySeconds: number }) {
  const [{ context }] = usePhone();
  const { notices, delay } = texts.approvals;
  const seen = FLAGS.filter((flag) => context[flag]);
  if (seen.length === 0 && delaySeconds === 0) return null;
  return (
    <Banner tone="wait">
      {[
        ...seen.map((flag) => notices[flag]),
        ...(delaySeconds > 0 ? [delay(countdown(delaySeconds * 1_000))] : []),
      ].join(' ')}
    </Banner>
  );
}

function Clock({ until }: { readonly until: string }) {
  const nowMs = useNow();
  const { approvals: words } = texts;
  const leftMs = Date.parse(until) - nowMs;
  return (
    <time className="approval-clock" dateTime={until} title={fullTimeOf(until)}>
      {leftMs > 0 ? words.until(countdown(leftMs)) : words.over}
    </time>
  );
}

function Answers({ isCall }: { readonly isCall: boolean }) {
  const [{ busy, context }, { approvals }] = usePhone();
  const { approvals: words } = texts;
  return (
    <div className="page-actions">
      <div className="approval-answers">
        <Button
          kind="secondary"
          isBusy={busy === 'not_me'}
          onPress={() => void approvals.deny('not_me')}
        >
          {isCall ? words.call.notMe : words.notMe}
        </Button>
        <Button
          kind={context.onCall && !isCall ? 'secondary' : 'primary'}
          icon="key"
          isBusy={busy === 'approve'}
          onPress={() => void approvals.approve()}
        >
          {isCall ? words.call.approve : words.approve}
        </Button>
      </div>
      {!isCall && (
        <Button
          kind="quiet"
          isBusy={busy === 'declined'}
          onPress={() => void approvals.deny('declined')}
        >
          {words.decline}
        </Button>
      )}
    </div>
  );
}
