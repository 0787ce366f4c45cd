/** A customer's devices: what each may do, and what this person may do about it. */
import { Tag } from '../../parts/parts.tsx';
import type { Change } from '../confirm.tsx';
import { consoleTexts as words } from '../console-texts.ts';
import type { Me } from '../door.ts';
import { Allowed, maySupervise } from '../page-parts.tsx';
import type { DeviceOfCustomer, SessionOfCustomer, StaffApi } from '../staff-api.ts';
import { deviceChange, liftReportChange, reportChange } from './changes.ts';

export interface DevicesProps {
  readonly devices: readonly DeviceOfCustomer[];
  readonly sessions: readonly SessionOfCustomer[];
  readonly api: StaffApi;
  readonly me: Me;
  readonly onChange: (change: Change) => void;
}

const TONES: Readonly<Record<string, 'good' | 'wait' | 'danger'>> = {
  trusted: 'good',
  untrusted: 'wait',
  restricted: 'wait',
  suspended: 'danger',
};

export function Devices({ devices, sessions, api, me, onChange }: DevicesProps) {
  const { devices: text } = words;
  const sessionsOn = (deviceId: string) =>
    sessions.filter((session) => session.deviceId === deviceId).length;
  const ask = (device: DeviceOfCustomer, action: 'suspend' | 'resume' | 'revoke') => () => {
    onChange(deviceChange(api, action, device, sessionsOn(device.deviceId)));
  };
  return (
    <section className="card" aria-labelledby="devices">
      <h2 id="devices">{text.title}</h2>
      {devices.length === 0 && <p className="nothing">{text.empty}</p>}
      <ul className="devices">
        {devices.map((device) => (
          <li key={device.deviceId}>
            <span>
              <strong>{device.name}</strong> <span className="quiet">{device.platform}</span>
            </span>
            <Tag tone={TONES[device.status] ?? 'plain'}>
              {text.statuses[device.status] ?? device.status}
            </Tag>
            {device.status !== 'revoked' && (
              <span className="device-acts">
                <Report device={device} api={api} me={me} onChange={onChange} />
                {device.status === 'suspended' ? (
                  <Allowed
                    act={text.resume}
                    because={maySupervise(me) ? undefined : text.resumeForbidden}
                    onPress={ask(device, 'resume')}
                  />
                ) : (
                  <Allowed
                    act={text.suspend}
                    because={undefined}
                    onPress={ask(device, 'suspend')}
                  />
                )}
                <Allowed act={text.revoke} because={undefined} onPress={ask(device, 'revoke')} />
              </span>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** A device that may do something can be reported; one that was can have the report lifted. */
function Report({
  device,
  api,
  me,
  onChange,
}: Pick<DevicesProps, 'api' | 'me' | 'onChange'> & { readonly device: DeviceOfCustomer }) {
  const { devices: text } = words;
  if (device.status === 'restricted')
    return (
      <Allowed
        act={text.lift}
        because={maySupervise(me) ? undefined : text.liftForbidden}
        onPress={() => {
          onChange(liftReportChange(api, device));
        }}
      />
    );
  if (device.status !== 'trusted' && device.status !== 'untrusted') return null;
  return (
    <Allowed
      act={text.report}
      because={undefined}
      onPress={() => {
        onChange(reportChange(api, device));
      }}
    />
  );
}
