/** The desk of a lost phone: how the liveness vendor answers, the bank's people, and time that only passes here. It decides nothing of the case. */
import { Radio, RadioGroup } from 'react-aria-components';
import { Icon } from '../parts/icons.tsx';
import { Button, Tag } from '../parts/parts.tsx';
import type { PhoneState } from '../phone/phone-state.ts';
import { texts } from '../texts/texts.ts';
import type { RecoveryDeskState } from './use-recovery-desk.ts';

export interface RecoveryDeskProps {
  readonly desk: RecoveryDeskState;
  readonly newPhone: PhoneState;
  /** The owner's. */
  readonly customerId: string | undefined;
  readonly operationsUrl: string | undefined;
}

export function RecoveryDesk({ desk, newPhone, customerId, operationsUrl }: RecoveryDeskProps) {
  const { desk: words } = texts.recovery;
  const { screen } = newPhone;
  const view = screen.kind === 'recovery' ? screen.view : undefined;
  return (
    <section className="desk" aria-label={words.title}>
      <h3 className="hidden">{words.title}</h3>
      <Vendor desk={desk} />
      <SimulatedTime
        desk={desk}
        customerId={customerId}
        coolingId={view?.state === 'cooling' ? view.recoveryId : undefined}
      />
      <div className="desk-row">
        <strong>{words.staff}</strong>
        <span className="quiet">{view === undefined ? words.noCase : words.staffText}</span>
        {view !== undefined && operationsUrl !== undefined && (
          <a
            className="button"
            data-kind="secondary"
            data-size="dense"
            href={`${operationsUrl}/recoveries/${view.recoveryId}`}
            target="_blank"
            rel="noreferrer"
          >
            <Icon name="external" size={16} /> {words.openCase}
          </a>
        )}
      </div>
      <div className="desk-row">
        <strong>{words.thief}</strong>
        <span className="quiet">{words.thiefText}</span>
      </div>
    </section>
  );
}

function Vendor({ desk }: { readonly desk: RecoveryDeskState }) {
  const { desk: words } = texts.recovery;
  const { vendor, isVendorSilent } = desk;
  return (
    <>
      <strong>{words.vendor}</strong>
      <RadioGroup
        className="segments liveness-ends"
        aria-label={words.vendor}
        orientation="horizontal"
        value={vendor.next}
        onChange={desk.choose}
      >
        {vendor.ends.map((end) => (
          <Radio key={end} value={end} className="segment">
            {words.ends[end] ?? end.replaceAll('_', ' ')}
          </Radio>
        ))}
      </RadioGroup>
      <div className="desk-foot">
        <span className="quiet" role="status">
          {isVendorSilent
            ? words.failed
            : vendor.waiting > 0
              ? words.waiting(vendor.waiting)
              : words.vendorText}
        </span>
        {vendor.waiting > 0 && (
          <Button size="dense" onPress={desk.release}>
            {words.release}
          </Button>
        )}
      </div>
    </>
  );
}

function SimulatedTime({
  desk,
  customerId,
  coolingId,
}: {
  readonly desk: RecoveryDeskState;
  readonly customerId: string | undefined;
  readonly coolingId: string | undefined;
}) {
  const { desk: words } = texts.recovery;
  const hasYear = customerId !== undefined && desk.aged.has(customerId);
  return (
    <div className="desk-row">
      <Tag tone="plain" icon="pause">
        {words.time}
      </Tag>
      <span className="quiet">{customerId === undefined ? words.nobody : words.timeText}</span>
      <div className="desk-buttons">
        <Button
          size="dense"
          isBusy={desk.busy === 'year'}
          isDisabled={customerId === undefined || hasYear}
          onPress={() => {
            if (customerId !== undefined) desk.passYear(customerId);
          }}
        >
          {hasYear ? words.yearDone : words.year}
        </Button>
        <Button
          size="dense"
          isBusy={desk.busy === 'floor'}
          isDisabled={coolingId === undefined}
          onPress={() => {
            if (coolingId !== undefined) desk.passCoolingFloor(coolingId);
          }}
        >
          {words.floor}
        </Button>
        <Button
          size="dense"
          isBusy={desk.busy === 'cooling'}
          isDisabled={coolingId === undefined}
          onPress={() => {
            if (coolingId !== undefined) desk.passCoolingOff(coolingId);
          }}
        >
          {words.cooling}
        </Button>
      </div>
      {desk.failure !== undefined && (
        <p className="field-error" role="alert">
          {words.failedTime(desk.failure)}
        </p>
      )}
    </div>
  );
}
