/** A customer's device at the operations door: suspended or removed by whoever speaks with him, resumed by a supervisor who did not suspend it. */
import { changeDeviceByStaff } from '../../db/device-changes.ts';
import type { DeviceAction } from '../../domain/device-changes.ts';
import { changeOnce } from '../changed-device.ts';
import type { ApiServices } from '../dependencies.ts';
import { ChangedDeviceAnswer, DeviceParams } from '../schemas/devices.ts';
import { EndSessionBody } from '../schemas/staff-customers.ts';
import { callerOf } from '../types.ts';
import type { LatchkeyApp } from '../types.ts';

const CHANGES = [
  {
    action: 'suspend',
    operationId: 'suspendDeviceByStaff',
    summary: 'Suspend a customer’s device',
    description:
      'Its sessions end and its passkeys rest, until it is resumed. The customer is told.',
    problems: ['not_found', 'device_ended'],
  },
  {
    action: 'resume',
    operationId: 'resumeDeviceByStaff',
    summary: 'Resume a suspended device',
    description:
      'By another person than the one who suspended it. What fraud suspended comes back with the release of the hold alone.',
    problems: ['not_found', 'device_ended', 'caller_not_allowed', 'four_eyes_required'],
  },
  {
    action: 'revoke',
    operationId: 'revokeDeviceByStaff',
    summary: 'Remove a customer’s device',
    description: 'For ever: its sessions end, and its passkeys with it. The customer is told.',
    problems: ['not_found'],
  },
] as const satisfies readonly {
  readonly action: DeviceAction;
  readonly [member: string]: unknown;
}[];

export function registerStaffDeviceRoutes(app: LatchkeyApp, services: ApiServices): void {
  for (const change of CHANGES) registerChange(app, services, change);
}

function registerChange(
  app: LatchkeyApp,
  services: ApiServices,
  { action, operationId, summary, description, problems }: (typeof CHANGES)[number],
): void {
  const config = { operationId, problems };
  const schema = {
    summary,
    description,
    tags: ['staff'],
    params: DeviceParams,
    body: EndSessionBody,
    response: { 200: ChangedDeviceAnswer },
  };
  app.post(`/staff/devices/:deviceId/${action}`, { config, schema }, (request) => {
    const { tenantId } = request.tenant;
    const { staffId } = callerOf(request, 'staff');
    const { deviceId } = request.params;
    const because = request.body.reason;
    return changeOnce(services, request, {
      deviceId,
      change: (tx) => changeDeviceByStaff(tx, { tenantId, deviceId, action, staffId, because }),
    });
  });
}
