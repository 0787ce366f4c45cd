/** Opening a recovery for a customer who is on the line, or the way to the one that is open. */
import { useCallback } from 'react';
import { Banner, Button } from '../../parts/parts.tsx';
import { recoveryAddress } from '../address.ts';
import type { Change } from '../confirm.tsx';
import { Link } from '../link.tsx';
import type { DeviceOfCustomer, StaffApi } from '../staff-api.ts';
import { useTold } from '../use-told.ts';
import { REFERENCE } from './case-changes.ts';
import { deskTexts } from './desk-texts.ts';
import { recoveryTexts as words } from './recovery-texts.ts';

const LOOK_EVERY_MS = 5_000;

export function OpenRecovery({
  api,
  customer: { customerId, devices },
  callId,
  onChange,
}: {
  readonly api: StaffApi;
  readonly customer: {
    readonly customerId: string;
    readonly devices: readonly DeviceOfCustomer[];
  };
  /** Of the call in which the caller proved himself; left out: by calling back. */
  readonly callId?: string;
  readonly onChange: (change: Change) => void;
}) {
  const { open: text } = deskTexts;
  const shown = useTold(
    useCallback(() => api.recoveries.list(new URLSearchParams({ customerId })), [api, customerId]),
    LOOK_EVERY_MS,
  );
  const [known] = shown.value?.recoveries ?? [];
  if (known !== undefined)
    return (
      <Banner
        tone="wait"
        title={text.there}
        action={
          <Link to={recoveryAddress(known.recoveryId)} kind="secondary">
            {text.see}
          </Link>
        }
      >
        {words.states[known.state]}
      </Banner>
    );
  return (
    <p className="open-recovery">
      <Button
        size="dense"
        onPress={() => {
          onChange(openChange(api, { customerId, devices, callId }));
        }}
      >
        {text.act}
      </Button>
    </p>
  );
}

function openChange(
  api: StaffApi,
  {
    customerId,
    devices,
    callId,
  }: {
    readonly customerId: string;
    readonly devices: readonly DeviceOfCustomer[];
    readonly callId: string | undefined;
  },
): Change {
  const { open: text } = deskTexts;
  const usable = devices.filter(({ status }) => status !== 'revoked' && status !== 'pending');
  return {
    title: text.title,
    effects: [
      callId === undefined ? text.effects.call_back : text.effects.verified_call,
      ...text.effects.all,
    ],
    reasons: words.reports,
    reasonsLabel: text.what,
    act: text.act,
    isDangerous: false,
    done: text.opened,
    ...(usable.length > 1
      ? {
          choice: {
            label: text.device,
            options: usable.map(({ deviceId, name }) => [deviceId, name] as const),
          },
        }
      : {}),
    ...(callId === undefined
      ? { field: { label: text.field, hint: text.hint, form: REFERENCE } }
      : {}),
    send: (report, key, more) =>
      api.recoveries.open(
        customerId,
        {
          report,
          ...(more.choice === '' ? {} : { reportedDeviceId: more.choice }),
          proof:
            callId === undefined
              ? { method: 'call_back', reference: more.text }
              : { method: 'verified_call', callId },
        },
        key,
      ),
  };
}
