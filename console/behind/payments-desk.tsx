/** The bank's payments desk, with the buttons of somebody who tampers: what stands, what was tried, and why it was refused. */
import { Switch } from 'react-aria-components';
import { amountText } from '../parts/amount.ts';
import { Icon } from '../parts/icons.tsx';
import { Button, Tag } from '../parts/parts.tsx';
import type { TagProps } from '../parts/parts.tsx';
import { exactTimeOf } from '../parts/time.ts';
import type { StepUpContext } from '../../sdk/types.ts';
import type { StageConfig } from '../stage/control.ts';
import type { PaymentStatus, PaymentView, WorkflowView } from '../stage/payments-view.ts';
import { texts } from '../texts/texts.ts';
import { workflowAddress } from './timeline-view.tsx';
import type { Payments } from './use-payments.ts';

const TONES: Readonly<Record<PaymentStatus, TagProps['tone']>> = {
  deciding: 'plain',
  waiting: 'wait',
  approved: 'wait',
  paid: 'good',
  refused: 'danger',
};
/** Ten times what was approved. */
const CHANGED = { from: '400.00', to: '4000.00' };

export interface PaymentsDeskProps {
  readonly payments: Payments;
  readonly customerId: string | undefined;
  readonly context: StepUpContext;
  readonly onNotice: (change: Partial<StepUpContext>) => void;
  readonly config: StageConfig;
  /** The story is about a payment by workflow. */
  readonly isWorkflow: boolean;
}

export function PaymentsDesk(props: PaymentsDeskProps) {
  const { payments, customerId, config } = props;
  const { payments: words } = texts.behind;
  const { view, failure } = payments;
  const latest = view?.payments[0];
  const workflow = view?.workflow;
  return (
    <section className="desk" aria-label={words.title}>
      <h3 className="hidden">{words.title}</h3>
      {latest === undefined && !props.isWorkflow && (
        <p className="quiet">{customerId === undefined ? words.nobody : words.none}</p>
      )}
      {latest !== undefined && <PaymentRow payment={latest} payments={payments} />}
      {workflow !== undefined && <WorkflowRow workflow={workflow} config={config} />}
      {failure !== undefined && (
        <p className="field-error" role="alert">
          {words.failed(failure)}
        </p>
      )}
      {props.isWorkflow && workflow?.status !== 'running' && (
        <div className="desk-foot">
          <span className="quiet">{words.workflowText}</span>
          <Button
            size="dense"
            isDisabled={customerId === undefined}
            isBusy={payments.busy === 'workflow'}
            onPress={() => {
              payments.press('workflow', (bank, id) => bank.startWorkflow(id));
            }}
          >
            {words.workflow}
          </Button>
        </div>
      )}
      <Toggles {...props} />
    </section>
  );
}

function PaymentRow({
  payment,
  payments,
}: {
  readonly payment: PaymentView;
  readonly payments: Payments;
}) {
  const { payments: words } = texts.behind;
  const { status, code } = payment;
  return (
    <>
      <div className="pay-row">
        <strong>{words.of(amountText(payment) ?? payment.amount, payment.payee)}</strong>
        <Tag tone={TONES[status]}>{words.states[status]}</Tag>
      </div>
      {status === 'refused' && code !== undefined && (
        <p className="quiet">{words.reasons[code] ?? words.why(code)}</p>
      )}
      <Tries payment={payment} payments={payments} />
      <PaymentButtons payment={payment} payments={payments} />
    </>
  );
}

function Tries({
  payment,
  payments: { view },
}: {
  readonly payment: PaymentView;
  readonly payments: Payments;
}) {
  const { payments: words } = texts.behind;
  const { tries, currency } = payment;
  const replayed = view?.replayed;
  if (tries.length === 0 && replayed === undefined) return null;
  return (
    <ul className="tries" aria-label={words.tries}>
      {replayed !== undefined && (
        <li data-what="refused">
          <Icon name="refused" size={14} />
          <span>
            {words.replayed}: {words.reasons[replayed.code] ?? words.why(replayed.code)}
          </span>
          <code>{replayed.status}</code>
        </li>
      )}
      {tries.toReversed().map(({ at, what, amount, code = '' }) => (
        <li key={`${at}${code}${amount}`} data-what={what}>
          <Icon name={what === 'paid' ? 'check' : 'refused'} size={14} />
          <span>
            {words.tried[what](amountText({ amount, currency }) ?? amount)}
            {code !== '' && `: ${words.reasons[code] ?? words.why(code)}`}
          </span>
          <time dateTime={at}>{exactTimeOf(at)}</time>
        </li>
      ))}
    </ul>
  );
}

function PaymentButtons({
  payment: { paymentId, status, stepUpId, amount, currency },
  payments,
}: {
  readonly payment: PaymentView;
  readonly payments: Payments;
}) {
  const { payments: words } = texts.behind;
  const changed = amount === CHANGED.from ? CHANGED.to : `${amount.split('.')[0] ?? ''}0.00`;
  if (status === 'approved')
    return (
      <div className="desk-foot">
        <Button
          size="dense"
          kind="danger"
          isBusy={payments.busy === 'change'}
          onPress={() => {
            payments.press('change', (bank, id) => bank.execute(id, paymentId, changed));
          }}
        >
          {words.change(amountText({ amount: changed, currency }) ?? changed)}
        </Button>
        <Button
          size="dense"
          isBusy={payments.busy === 'execute'}
          onPress={() => {
            payments.press('execute', (bank, id) => bank.execute(id, paymentId));
          }}
        >
          {words.execute}
        </Button>
      </div>
    );
  if (status !== 'paid' || stepUpId === undefined) return null;
  return (
    <div className="desk-foot">
      <Button
        size="dense"
        kind="danger"
        isBusy={payments.busy === 'replay'}
        onPress={() => {
          payments.press('replay', (bank, id) => bank.replay(id, paymentId));
        }}
      >
        {words.replay}
      </Button>
    </div>
  );
}

function WorkflowRow({
  workflow: { workflowId, namespace, status },
  config,
}: {
  readonly workflow: WorkflowView;
  readonly config: StageConfig;
}) {
  const { payments: words } = texts.behind;
  const href = workflowAddress(workflowId, { ...config, temporalNamespace: namespace });
  const tone = { running: 'wait', completed: 'good', failed: 'danger' } as const;
  return (
    <div className="pay-row">
      <Tag tone={tone[status]} icon="loop">
        {words.workflowStates[status]}
      </Tag>
      {href !== undefined && (
        <a href={href} target="_blank" rel="noreferrer">
          {words.openWorkflow} <Icon name="external" size={14} />
        </a>
      )}
    </div>
  );
}

const FLAGS: readonly (keyof StepUpContext)[] = ['onCall', 'screenShared', 'accessibilityService'];

/** For the people at the stage: what a phone would notice by itself. */
function Toggles({ payments, context, onNotice, customerId }: PaymentsDeskProps) {
  const { payments: words } = texts.behind;
  return (
    <div className="toggles">
      <Toggle
        label={words.hold}
        hint={words.holdText}
        isOn={payments.view?.isHeld === true}
        isDisabled={customerId === undefined}
        onChange={(isHeld) => {
          payments.press('hold', (bank, id) => bank.hold(id, isHeld));
        }}
      />
      <fieldset>
        <legend>{words.notices}</legend>
        {FLAGS.map((flag) => (
          <Toggle
            key={flag}
            label={words.flags[flag]}
            isOn={context[flag]}
            onChange={(isOn) => {
              onNotice({ [flag]: isOn });
            }}
          />
        ))}
      </fieldset>
    </div>
  );
}

function Toggle(props: {
  readonly label: string;
  readonly hint?: string;
  readonly isOn: boolean;
  readonly isDisabled?: boolean;
  readonly onChange: (isOn: boolean) => void;
}) {
  return (
    <Switch
      className="toggle"
      isSelected={props.isOn}
      isDisabled={props.isDisabled === true}
      onChange={props.onChange}
    >
      <span className="toggle-track" aria-hidden="true" />
      <span>
        {props.label}
        {props.hint !== undefined && <small>{props.hint}</small>}
      </span>
    </Switch>
  );
}
