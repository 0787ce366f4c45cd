/** The stage: phone, what happens behind it, inbox. Three panes where there is room, else tabs over the same three. */
import { useEffect, useState } from 'react';
import { BehindPane } from '../behind/behind-pane.tsx';
import { positionOf, readAuditEvent } from '../behind/timeline.ts';
import { useCall } from '../behind/use-call.ts';
import { useFraud } from '../behind/use-fraud.ts';
import type { Fraud } from '../behind/use-fraud.ts';
import { useParts } from '../behind/use-parts.ts';
import { usePayments } from '../behind/use-payments.ts';
import { useRecoveryDesk } from '../behind/use-recovery-desk.ts';
import type { Payments } from '../behind/use-payments.ts';
import type { Desk } from '../behind/desks.tsx';
import { brokenParts } from '../behind/works-now.ts';
import { Inbox } from '../inbox/inbox.tsx';
import { messageId, readMessage } from '../inbox/message.ts';
import type { Message } from '../inbox/message.ts';
import { Phone } from '../phone/phone.tsx';
import { PhoneContext } from '../phone/phone-context.ts';
import type { PhoneModel } from '../phone/phone-model.ts';
import type { PhoneState } from '../phone/phone-state.ts';
import { useEventStream } from './event-stream.ts';
import { Header } from './header.tsx';
import { Panes } from './panes.tsx';
import { PhoneSwitch } from './phone-switch.tsx';
import type { Pane } from './panes.tsx';
import type { StageParts } from './stage-loader.tsx';
import { AMOUNT_OF, isPayStory, stepsDone } from './stories.ts';
import type { PayStory, StoryId } from './stories.ts';
import { usePartEvents } from './use-part-events.ts';
import { usePhoneCalls } from './use-phone-calls.ts';
import { useShownPhone } from './use-shown-phone.ts';
import { useStory } from './use-story.ts';

export function Stage({ parts: stageParts }: { readonly parts: StageParts }) {
  const { control } = stageParts;
  const shown = useShownPhone(stageParts);
  const { which, oldPhone, newPhone } = shown;
  const { model } = shown.parts;
  const phone = which === 'new' ? newPhone : oldPhone;
  const { story, desk, setStory, setDesk } = useStory();
  const [pane, setPane] = useState<Pane>('phone');
  const [seen, setSeen] = useState(0);
  // Whoever has lost a phone is known by the one that is lost.
  const customerId = customerOf(phone) ?? customerOf(oldPhone);
  const desks = useBank(stageParts, { customerId, desk, story });
  const { fraud, payments, call, recoveryDesk } = desks;
  const calls = usePhoneCalls(shown.parts);
  const partEvents = usePartEvents(model);
  const enrollmentId = enrollmentOf(phone);
  const parts = useParts({ control, enrollmentId, onView: partEvents.hear });
  const { timeline, inbox } = useStreams(stageParts, { phone, customerId });
  useExamples(stageParts, inbox.items);
  const { isStartingOver, startOver } = useStartOver(stageParts, fraud);
  const hasYearPassed = customerId !== undefined && recoveryDesk.aged.has(customerId);
  const recovery = { newPhone, hasYearPassed };
  const facts = { phone, fraud: fraud.state, parts: parts.view, recovery };

  const tell = (next: StoryId) => {
    setStory(next);
    if (isPayStory(next)) beginPayment(next, { model, payments });
  };
  const showPane = (next: Pane) => {
    if (pane === 'inbox' || next === 'inbox') setSeen(inbox.items.length);
    setPane(next);
  };
  const useCode = (code: string) => {
    model.enrolling.setDraftCode(code);
    showPane('phone');
  };
  const stageEvents = [...calls, ...partEvents.events];
  const told = { ...stageParts, ...desks, model, newPhone, parts, phone, story, desk, customerId };
  const hasSwitch = story === 'lost-phone' || which === 'new';

  return (
    <PhoneContext value={model}>
      <Header
        story={story}
        stepsDone={stepsDone(story, { ...facts, payments: payments.view, call: call.view })}
        onStory={tell}
        onStartOver={startOver}
        isStartingOver={isStartingOver}
      />
      <Panes
        pane={pane}
        onPane={showPane}
        unread={pane === 'inbox' ? 0 : Math.max(0, inbox.items.length - seen)}
        isBroken={parts.view !== undefined && brokenParts(parts.view).length > 0}
        content={{
          phone: (
            <>
              {hasSwitch && <PhoneSwitch which={which} onShow={shown.show} />}
              <Phone key={which} />
            </>
          ),
          behind: (
            <BehindPane {...told} onDesk={setDesk} timeline={timeline} stageEvents={stageEvents} />
          ),
          inbox: <Inbox stream={inbox} onUseCode={asksForCode(phone) ? useCode : undefined} />,
        }}
      />
    </PhoneContext>
  );
}

function useStartOver({ control, phones }: StageParts, fraud: Fraud) {
  const [isStartingOver, setIsStartingOver] = useState(false);
  const startOver = async () => {
    setIsStartingOver(true);
    fraud.forget();
    await control.startOver().catch(() => undefined);
    await phones.old.model.forgetEverything();
    await phones.new.model.forgetEverything();
    sessionStorage.clear();
    // A new page: no call of the old phone can reach the new one.
    location.reload();
  };
  return { isStartingOver, startOver: () => void startOver() };
}

interface Told {
  readonly customerId: string | undefined;
  readonly desk: Desk;
  readonly story: StoryId;
}

/** The bank's desks behind the phone. */
function useBank({ control, bank, recovery }: StageParts, { customerId, desk, story }: Told) {
  const isWatched = desk === 'payments' || isPayStory(story);
  return {
    fraud: useFraud(control, customerId),
    payments: usePayments(bank, { customerId, isWatched }),
    call: useCall(bank, customerId),
    recoveryDesk: useRecoveryDesk(recovery, desk === 'recovery'),
  };
}

/** A story about a payment begins with its form, and with nothing that waits from the one before. */
function beginPayment(
  story: PayStory,
  { model, payments }: { readonly model: PhoneModel; readonly payments: Payments },
): void {
  payments.press('reset', async (bank, customerId) => {
    await bank.reset(customerId);
    return bank.hold(customerId, story === 'pay-changed');
  });
  const isIn = model.state().screen.kind === 'home';
  model.approvals.calm();
  if (story === 'pay-workflow') model.paying.leave();
  else if (isIn) model.paying.begin({ amount: AMOUNT_OF[story] });
}

/** The phones' example contacts are whoever got the newest messages. */
function useExamples({ phones }: StageParts, messages: readonly Message[]) {
  const email = messages.findLast(({ channel }) => channel === 'email')?.to;
  const phone = messages.findLast(({ channel }) => channel === 'sms')?.to;
  useEffect(() => {
    const examples = {
      ...(email === undefined ? {} : { email }),
      ...(phone === undefined ? {} : { phone }),
    };
    for (const { model } of [phones.old, phones.new]) model.recovering.offerExamples(examples);
  }, [phones, email, phone]);
}

interface Whose {
  readonly phone: PhoneState;
  readonly customerId: string | undefined;
}

function useStreams(parts: StageParts, whose: Whose) {
  const timeline = useEventStream({
    url: timelineOf(whose, parts),
    event: 'audit',
    read: readAuditEvent,
    keyOf: positionOf,
  });
  const inbox = useEventStream({
    url: parts.control.inboxUrl(),
    event: 'message',
    read: readMessage,
    keyOf: messageId,
  });
  return { timeline, inbox };
}

function customerOf({ home, installation }: PhoneState): string | undefined {
  return home.me?.customerId ?? installation?.customerId;
}

/** The enrollment under way. */
function enrollmentOf({ screen }: PhoneState): string | undefined {
  const isUnderWay = screen.kind === 'enrollment' && screen.view.state !== 'ended';
  return isUnderWay ? screen.view.enrollmentId : undefined;
}

/** The customer once there is one, else the ceremony under way. */
function timelineOf({ phone, customerId }: Whose, { control }: StageParts): string | undefined {
  const { screen } = phone;
  if (screen.kind === 'enrollment' && screen.view.customerId === undefined)
    return control.timelineUrl({ ceremonyId: screen.view.enrollmentId });
  if (screen.kind === 'recovery' && customerId === undefined)
    return control.timelineUrl({ ceremonyId: screen.view.recoveryId });
  return customerId === undefined ? undefined : control.timelineUrl({ customerId });
}

function asksForCode({ screen, isChangingEmail, stepUp }: PhoneState): boolean {
  if (screen.kind === 'login-proof' || screen.kind === 'freeze-ask') return true;
  if (screen.kind === 'recover-request') return screen.request.status === 'sent';
  if (screen.kind === 'home') return stepUp?.view.status === 'second_factor';
  if (screen.kind !== 'enrollment' || isChangingEmail) return false;
  return screen.view.state === 'phone' || screen.view.state === 'email_code';
}
