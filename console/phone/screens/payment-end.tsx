/** What became of a payment: being carried out, paid and how it was proved, or not paid and why. */
import { texts } from '../../texts/texts.ts';
import { amountText } from '../../parts/amount.ts';
import { Icon } from '../../parts/icons.tsx';
import { Button } from '../../parts/parts.tsx';
import { countdown, exactTimeOf, fullTimeOf, useNow } from '../../parts/time.ts';
import { usePhone } from '../phone-context.ts';
import type { ShownPayment } from '../phone-state.ts';
import { Page } from './page.tsx';
import { Pulse } from './waiting.tsx';

export function PaymentScreen({ payment }: { readonly payment: ShownPayment }) {
  switch (payment.status) {
    case 'sending':
    case 'waiting':
    case 'approved':
      return <CarryingScreen payment={payment} />;
    case 'paid':
      return <PaidScreen payment={payment} />;
    case 'refused':
      return <RefusedScreen reason={payment.reason ?? ''} />;
  }
}

function CarryingScreen({ payment }: { readonly payment: ShownPayment }) {
  const [{ busy, stepUp }, { approvals }] = usePhone();
  const { carrying } = texts.pay;
  const { approvals: words } = texts;
  const nowMs = useNow();
  const leftMs = payment.usableAt === undefined ? 0 : Date.parse(payment.usableAt) - nowMs;
  const held = payment.status === 'approved' ? carrying.held : carrying.text;
  return (
    <Page
      title={carrying.title}
      text={leftMs > 0 ? carrying.delayed(countdown(leftMs)) : held}
      {...(stepUp === undefined
        ? {}
        : {
            actions: (
              <Button
                kind="secondary"
                isBusy={busy === 'not_me'}
                onPress={() => void approvals.deny('not_me')}
              >
                {words.approved.stop}
              </Button>
            ),
          })}
    >
      <Sum payment={payment} />
      <Pulse />
    </Page>
  );
}

function PaidScreen({ payment }: { readonly payment: ShownPayment }) {
  const [{ busy }, { paying, approvals }] = usePhone();
  const { paid } = texts.pay;
  const { stepUpId, paidAt, acr } = payment;
  const how = acr === 'latchkey:4' ? paid.byCode : paid.byPasskey;
  return (
    <Page
      title={paid.title}
      actions={
        <>
          {stepUpId !== undefined && (
            <Button
              kind="primary"
              isBusy={busy === 'receipt'}
              onPress={() => void paying.showReceipt(stepUpId)}
            >
              {paid.receipt}
            </Button>
          )}
          <Button
            kind={stepUpId === undefined ? 'primary' : 'secondary'}
            onPress={() => {
              paying.leave();
              void approvals.dismiss();
            }}
          >
            {paid.done}
          </Button>
        </>
      }
    >
      <Sum payment={payment} />
      <dl className="approval-facts">
        {paidAt !== undefined && (
          <div>
            <dt>{paid.at}</dt>
            <dd>
              <time dateTime={paidAt} title={fullTimeOf(paidAt)}>
                {exactTimeOf(paidAt)}
              </time>
            </dd>
          </div>
        )}
        <div>
          <dt>{paid.how}</dt>
          <dd>{stepUpId === undefined ? paid.bySignature : how}</dd>
        </div>
      </dl>
    </Page>
  );
}

function Sum({ payment: { order } }: { readonly payment: ShownPayment }) {
  return (
    <p className="approval-hero">
      <strong>{amountText(order) ?? order.amount}</strong>
      <span className="approval-to">{texts.pay.paid.to}</span>
      <span className="approval-payee">{order.payee}</span>
    </p>
  );
}

function RefusedScreen({ reason }: { readonly reason: string }) {
  const [, { paying, approvals }] = usePhone();
  const { refused } = texts.pay;
  return (
    <Page
      title={refused.title}
      text={refused.reasons[reason] ?? refused.unknown}
      actions={
        <>
          <Button
            kind="primary"
            onPress={() => {
              paying.leave();
              void approvals.dismiss();
            }}
          >
            {texts.pay.paid.done}
          </Button>
          <Button
            kind="quiet"
            onPress={() => {
              void approvals.dismiss();
              paying.begin();
            }}
          >
            {refused.again}
          </Button>
        </>
      }
    >
      <span className="medal" data-tone="wait">
        <Icon name="warning" size={32} />
      </span>
    </Page>
  );
}
