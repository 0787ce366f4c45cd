/** The middle of the stage: what is broken, the desks that break and decide things, and what happens because of it. */
import type { PhoneState } from '../phone/phone-state.ts';
import type { StageConfig, StageControl } from '../stage/control.ts';
import type { Stream } from '../stage/event-stream.ts';
import type { PhoneModel } from '../phone/phone-model.ts';
import type { DemoBankControl } from '../stage/demo-bank-control.ts';
import type { StoryId } from '../stage/stories.ts';
import { CallDesk } from './call-desk.tsx';
import { Desks } from './desks.tsx';
import type { Desk } from './desks.tsx';
import { FraudDesk } from './fraud-desk.tsx';
import { IdentityDesk } from './identity-desk.tsx';
import { OutageStrip } from './outage-strip.tsx';
import { PartsDesk } from './parts-desk.tsx';
import { PaymentsDesk } from './payments-desk.tsx';
import { RecoveryDesk } from './recovery-desk.tsx';
import { RiskSwitch } from './risk-switch.tsx';
import { Timeline } from './timeline-view.tsx';
import type { AuditEvent, StageEvent } from './timeline.ts';
import type { Call } from './use-call.ts';
import type { Fraud } from './use-fraud.ts';
import type { PartsState } from './use-parts.ts';
import type { Payments } from './use-payments.ts';
import type { RecoveryDeskState } from './use-recovery-desk.ts';

export interface BehindPaneProps {
  readonly config: StageConfig;
  readonly control: StageControl;
  readonly parts: PartsState;
  readonly fraud: Fraud;
  readonly bank: DemoBankControl;
  readonly payments: Payments;
  readonly call: Call;
  readonly recoveryDesk: RecoveryDeskState;
  readonly newPhone: PhoneState;
  readonly model: PhoneModel;
  readonly customerId: string | undefined;
  readonly phone: PhoneState;
  readonly story: StoryId;
  readonly desk: Desk;
  readonly onDesk: (desk: Desk) => void;
  readonly timeline: Stream<AuditEvent>;
  readonly stageEvents: readonly StageEvent[];
}

export function BehindPane(props: BehindPaneProps) {
  const { config, control, parts, fraud, customerId, phone, model } = props;
  return (
    <>
      {props.desk !== 'parts' && <OutageStrip parts={parts} />}
      <Desks
        desk={props.desk}
        onDesk={props.onDesk}
        content={{
          parts: <PartsDesk parts={parts} />,
          identity: <IdentityDesk control={control} />,
          fraud: (
            <>
              <FraudDesk fraud={fraud} customerId={customerId} home={phone.home} />
              {props.story === 'login' && <RiskSwitch bank={props.bank} />}
            </>
          ),
          payments: (
            <PaymentsDesk
              payments={props.payments}
              customerId={customerId}
              context={phone.context}
              onNotice={(change) => void model.approvals.notice(change)}
              config={config}
              isWorkflow={props.story === 'pay-workflow'}
            />
          ),
          calls: <CallDesk call={props.call} customerId={customerId} />,
          recovery: (
            <RecoveryDesk
              desk={props.recoveryDesk}
              newPhone={props.newPhone}
              customerId={customerId}
              operationsUrl={config.operationsUrl}
            />
          ),
        }}
      />
      <Timeline
        stream={props.timeline}
        stageEvents={props.stageEvents}
        config={config}
        ceremony={parts.view?.ceremony}
      />
    </>
  );
}
