/** The fraud desk: one button that says what it will do, what became of it, and the release. */
import { useState } from 'react';
import { texts } from '../texts/texts.ts';
import { exactTimeOf } from '../parts/time.ts';
import { Button, Tag } from '../parts/parts.tsx';
import type { Home } from '../phone/home-data.ts';
import type { CutOff } from '../stage/control.ts';
import { CutOffDialog, ReceiptDialog } from './fraud-dialogs.tsx';
import type { Fraud } from './use-fraud.ts';

export interface FraudDeskProps {
  readonly fraud: Fraud;
  readonly customerId: string | undefined;
  /** What the phone knows, for the preview. */
  readonly home: Home;
}

export function FraudDesk({ fraud, customerId, home }: FraudDeskProps) {
  const { fraud: words } = texts.behind;
  const [open, setOpen] = useState<'cut-off' | 'receipt' | undefined>();
  const { cutOff, releasedAt, failure } = fraud.state;
  const isHeld = cutOff !== undefined && releasedAt === undefined;
  const close = () => {
    setOpen(undefined);
  };
  return (
    <section className="desk" aria-label={words.title}>
      <h3 className="hidden">{words.title}</h3>
      {isHeld && (
        <Tag tone={cutOff.status === 'sealed' ? 'danger' : 'wait'} icon="shieldOff">
          {cutOff.status === 'sealed' ? words.sealed : words.running}
        </Tag>
      )}
      {isHeld ? <Facts cutOff={cutOff} /> : <Standing fraud={fraud} customerId={customerId} />}
      {failure !== undefined && (
        <p className="field-error" role="alert">
          {words.failed(failure)}
        </p>
      )}
      <div className="desk-foot">
        {cutOff?.receipt !== undefined && (
          <Button
            size="dense"
            onPress={() => {
              setOpen('receipt');
            }}
          >
            {words.receipt}
          </Button>
        )}
        {isHeld ? (
          <Button size="dense" isBusy={fraud.state.isBusy} onPress={fraud.release}>
            {words.release}
          </Button>
        ) : (
          <Button
            size="dense"
            kind="danger"
            isDisabled={customerId === undefined}
            onPress={() => {
              setOpen('cut-off');
            }}
          >
            {words.cutOff}
          </Button>
        )}
      </div>
      <CutOffDialog
        isOpen={open === 'cut-off'}
        sessions={home.me === undefined ? undefined : home.sessions.length}
        epoch={home.me?.session.epoch}
        onClose={close}
        onConfirm={() => {
          close();
          fraud.cutOff();
        }}
      />
      {cutOff !== undefined && (
        <ReceiptDialog isOpen={open === 'receipt'} cutOff={cutOff} onClose={close} />
      )}
    </section>
  );
}

function Standing({ fraud, customerId }: Pick<FraudDeskProps, 'fraud' | 'customerId'>) {
  const { fraud: words } = texts.behind;
  const { releasedAt } = fraud.state;
  const ready = releasedAt === undefined ? words.ready : words.released(exactTimeOf(releasedAt));
  return (
    <p className="quiet" role="status">
      {customerId === undefined ? words.nobody : ready}
    </p>
  );
}

function Facts({ cutOff }: { readonly cutOff: CutOff }) {
  const { fraud: words } = texts.behind;
  return (
    <dl className="facts-row">
      <div>
        <dt>{words.effectiveAt}</dt>
        <dd>{exactTimeOf(cutOff.effectiveAt)}</dd>
      </div>
      <div>
        <dt>{words.epoch}</dt>
        <dd>
          {cutOff.oldEpoch} → {cutOff.newEpoch}
        </dd>
      </div>
      <div>
        <dt>{words.stopped}</dt>
        <dd>{words.stoppedText(cutOff.devices, cutOff.credentials)}</dd>
      </div>
    </dl>
  );
}
