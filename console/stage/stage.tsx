/** The stage: phone, what happens behind it, inbox. Three panes where there is room, else tabs over the same three. */
import { useState, useSyncExternalStore } from 'react';
import { Timeline } from '../behind/behind.tsx';
import { FraudDesk } from '../behind/fraud-desk.tsx';
import { IdentityDesk } from '../behind/identity-desk.tsx';
import { positionOf, readAuditEvent } from '../behind/timeline.ts';
import { useFraud } from '../behind/use-fraud.ts';
import { Inbox } from '../inbox/inbox.tsx';
import { messageId, readMessage } from '../inbox/message.ts';
import { Phone } from '../phone/phone.tsx';
import { PhoneContext } from '../phone/phone-context.ts';
import type { PhoneState } from '../phone/phone-state.ts';
import { useEventStream } from './event-stream.ts';
import { Header } from './header.tsx';
import { Panes } from './panes.tsx';
import type { Pane } from './panes.tsx';
import type { StageParts } from './stage-loader.tsx';
import { stepsDone } from './stories.ts';
import type { StoryId } from './stories.ts';
import { usePhoneCalls } from './use-phone-calls.ts';

export interface StageProps {
  readonly parts: StageParts;
  readonly onStartedOver: () => void;
}

export function Stage({ parts, onStartedOver }: StageProps) {
  const { config, control, model } = parts;
  const phone = useSyncExternalStore(model.subscribe, model.state);
  const [story, setStory] = useState<StoryId>('enroll');
  const [pane, setPane] = useState<Pane>('phone');
  const [seen, setSeen] = useState(0);
  const [isStartingOver, setIsStartingOver] = useState(false);
  const customerId = customerOf(phone);
  const fraud = useFraud(control, customerId);
  const calls = usePhoneCalls(parts);
  const { timeline, inbox } = useStreams(parts, phone);

  const startOver = async () => {
    setIsStartingOver(true);
    fraud.forget();
    await control.startOver().catch(() => undefined);
    await model.forgetEverything();
    onStartedOver();
  };
  const showPane = (next: Pane) => {
    if (pane === 'inbox' || next === 'inbox') setSeen(inbox.items.length);
    setPane(next);
  };
  const useCode = (code: string) => {
    model.setDraftCode(code);
    showPane('phone');
  };

  return (
    <PhoneContext value={model}>
      <Header
        story={story}
        stepsDone={stepsDone(story, phone, fraud.state)}
        onStory={setStory}
        onStartOver={() => void startOver()}
        isStartingOver={isStartingOver}
      />
      <Panes
        pane={pane}
        onPane={showPane}
        unread={pane === 'inbox' ? 0 : Math.max(0, inbox.items.length - seen)}
        content={{
          phone: <Phone />,
          behind: (
            <>
              <div className="desks">
                <IdentityDesk control={control} />
                <FraudDesk fraud={fraud} customerId={customerId} home={phone.home} />
              </div>
              <Timeline stream={timeline} calls={calls} config={config} />
            </>
          ),
          inbox: <Inbox stream={inbox} onUseCode={asksForCode(phone) ? useCode : undefined} />,
        }}
      />
    </PhoneContext>
  );
}

function useStreams(parts: StageParts, phone: PhoneState) {
  const timeline = useEventStream({
    url: timelineOf(phone, parts),
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

/** The customer once there is one, else the ceremony under way. */
function timelineOf(phone: PhoneState, { control }: StageParts): string | undefined {
  const { screen } = phone;
  if (screen.kind === 'enrollment' && screen.view.customerId === undefined)
    return control.timelineUrl({ ceremonyId: screen.view.enrollmentId });
  const customerId = customerOf(phone);
  return customerId === undefined ? undefined : control.timelineUrl({ customerId });
}

function asksForCode({ screen, isChangingEmail }: PhoneState): boolean {
  if (screen.kind !== 'enrollment' || isChangingEmail) return false;
  return screen.view.state === 'phone' || screen.view.state === 'email_code';
}
