/**
 * A device reported lost or stolen, and the report lifted: by its owner from another trusted device, or by staff. Whoever holds the reported one can do
 * neither; the session that asks is judged again under the customer's lock.
 */
import type { FastifyRequest } from 'fastify';
import type { Tx } from '../../db/connection.ts';
import { isPasskeyOfReportedDevice } from '../../db/credentials.ts';
import { standsOn } from '../../db/device-changes.ts';
import {
  liftReport,
  liftReportByStaff,
  reportByStaff,
  restrictReportedDevice,
} from '../../db/device-reports.ts';
import type { ReportedDevice } from '../../db/device-reports.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { standingOwner } from '../callers/standing-owner.ts';
import type { ApiServices } from '../dependencies.ts';
import {
  DeviceReportBody,
  ReportedDeviceAnswer,
  StaffDeviceReportBody,
} from '../schemas/device-reports.ts';
import { DeviceParams } from '../schemas/devices.ts';
import { EmptyBody } from '../schemas/empty-body.ts';
import { EndSessionBody } from '../schemas/staff-customers.ts';
import { callerOf } from '../types.ts';
import type { LatchkeyApp } from '../types.ts';

const params = DeviceParams;
const response = { 200: ReportedDeviceAnswer };

export function registerDeviceReportRoutes(app: LatchkeyApp, services: ApiServices): void {
  registerReport(app, services);
  registerLift(app, services);
}

export function registerStaffDeviceReportRoutes(app: LatchkeyApp, services: ApiServices): void {
  registerStaffReport(app, services);
  registerStaffLift(app, services);
}

/** Once under its Idempotency-Key, in one transaction. */
async function once(
  { database, idempotency }: ApiServices,
  request: FastifyRequest,
  deviceId: string,
  change: (tx: Tx) => Promise<ReportedDevice>,
): Promise<ReportedDeviceAnswer> {
  return await idempotency.run(request, {
    work: async (claim) => {
      const made = await database.tenant(request.tenant.tenantId, async (tx) => {
        const { status } = await change(tx);
        await claim.settle(tx, status);
        return status;
      });
      return { reference: made, answer: { deviceId, status: made } };
    },
    replay: (status) => Promise.resolve({ deviceId, status }),
  });
}

function registerReport(app: LatchkeyApp, services: ApiServices): void {
  const config = {
    operationId: 'reportDevice',
    problems: ['not_found', 'other_device_needed', 'device_ended', 'device_not_allowed'],
  } as const;
  const schema = {
    summary: 'Report one of one’s devices lost or stolen',
    description:
      'By a recent passkey on another trusted device. The reported one may only read from then on, and can undo none of it.',
    tags: ['device'],
    params,
    body: DeviceReportBody,
    response,
  };
  app.post('/auth/devices/:deviceId/report', { config, schema }, (request) => {
    const { tenant } = request;
    const { tenantId } = tenant;
    const { deviceId } = request.params;
    const caller = callerOf(request, 'customer');
    return once(services, request, deviceId, async (tx) => {
      const owner = await standingOwner(tx, tenant, caller, { whileFrozen: true });
      if (await standsOn(tx, tenantId, deviceId, owner))
        throw new LatchkeyError('other_device_needed');
      const { customerId } = owner;
      return await restrictReportedDevice(tx, {
        tenantId,
        customerId,
        deviceId,
        as: request.body.kind,
        by: { kind: 'customer', id: customerId },
      });
    });
  });
}

function registerLift(app: LatchkeyApp, services: ApiServices): void {
  const config = {
    operationId: 'liftDeviceReport',
    problems: ['not_found', 'other_device_needed', 'device_ended', 'device_not_allowed'],
  } as const;
  const schema = {
    summary: 'Lift the report of one of one’s devices',
    description:
      'By a recent passkey on another trusted device. The device may do again what it could before.',
    tags: ['device'],
    params,
    body: EmptyBody,
    response,
  };
  app.post('/auth/devices/:deviceId/lift-report', { config, schema }, (request) => {
    const { tenant } = request;
    const { tenantId } = tenant;
    const { deviceId } = request.params;
    const caller = callerOf(request, 'customer');
    return once(services, request, deviceId, async (tx) => {
      const by = await standingOwner(tx, tenant, caller);
      // It may be in the thief's hands wherever it was synced to.
      if (await isPasskeyOfReportedDevice(tx, tenantId, by.credentialId))
        throw new LatchkeyError('device_not_allowed');
      return await liftReport(tx, { tenantId, deviceId, by });
    });
  });
}

function registerStaffReport(app: LatchkeyApp, services: ApiServices): void {
  const config = {
    operationId: 'reportDeviceByStaff',
    problems: ['not_found', 'device_ended', 'device_not_allowed', 'caller_not_proved'],
  } as const;
  const schema = {
    summary: 'Report a customer’s device lost or stolen',
    description:
      'For a customer who is known to be on the line: name the call that he approved, or pick why. The device may only read from then on. He is told.',
    tags: ['staff'],
    params,
    body: StaffDeviceReportBody,
    response,
  };
  app.post('/staff/devices/:deviceId/report', { config, schema }, (request) => {
    const { tenantId } = request.tenant;
    const { staffId } = callerOf(request, 'staff');
    const { deviceId } = request.params;
    const { kind: as, reason: because, callId } = request.body;
    return once(services, request, deviceId, (tx) =>
      reportByStaff(tx, { tenantId, deviceId, as, staffId, because, callId }),
    );
  });
}

function registerStaffLift(app: LatchkeyApp, services: ApiServices): void {
  const config = {
    operationId: 'liftDeviceReportByStaff',
    problems: ['not_found', 'device_ended', 'four_eyes_required'],
  } as const;
  const schema = {
    summary: 'Lift the report of a customer’s device',
    description: 'By a supervisor, and another person than the one who made it. He is told.',
    tags: ['staff'],
    params,
    body: EndSessionBody,
    response,
  };
  app.post('/staff/devices/:deviceId/lift-report', { config, schema }, (request) => {
    const { tenantId } = request.tenant;
    const { staffId } = callerOf(request, 'staff');
    const { deviceId } = request.params;
    const because = request.body.reason;
    return once(services, request, deviceId, (tx) =>
      liftReportByStaff(tx, { tenantId, deviceId, staffId, because }),
    );
  });
}
