/**
 * A customer's own devices and passkeys: listed, and suspended, resumed or removed from another device of his. Each change is one transaction in
 * which the session that asks is judged again, under the lock that a cut-off of it would wait for.
 */
import { changeDevice, revokeCredential } from '../../db/device-changes.ts';
import { devicesOfCustomer } from '../../db/devices.ts';
import type { OwnDevice, OwnPasskey } from '../../db/devices.ts';
import { readSession } from '../../db/sessions.ts';
import type { DeviceAction } from '../../domain/device-changes.ts';
import { standingOwner } from '../callers/standing-owner.ts';
import { changeOnce } from '../changed-device.ts';
import type { ApiServices } from '../dependencies.ts';
import {
  ChangedDeviceAnswer,
  CredentialParams,
  DeviceParams,
  DevicesAnswer,
  RevokedCredentialAnswer,
} from '../schemas/devices.ts';
import type { DeviceView } from '../schemas/devices.ts';
import { EmptyBody } from '../schemas/empty-body.ts';
import { isoTime } from '../iso-time.ts';
import { callerOf } from '../types.ts';
import type { CustomerCaller, LatchkeyApp } from '../types.ts';

const tags = ['device'];

export function registerDeviceRoutes(app: LatchkeyApp, services: ApiServices): void {
  registerList(app, services);
  for (const action of CHANGES) registerChange(app, services, action);
  registerRevokeCredential(app, services);
}

function registerList(app: LatchkeyApp, { database }: ApiServices): void {
  const config = { operationId: 'listDevices' } as const;
  const schema = {
    summary: 'List one’s devices and passkeys',
    tags,
    response: { 200: DevicesAnswer },
  };
  app.get('/auth/devices', { config, schema }, async (request) => {
    const { tenantId } = request.tenant;
    const caller = callerOf(request, 'customer');
    const { customerId, sessionId } = caller;
    const { devices, passkeys, session } = await database.tenant(tenantId, async (tx) => ({
      ...(await devicesOfCustomer(tx, { tenantId, customerId })),
      session: await readSession(tx, tenantId, sessionId),
    }));
    return {
      devices: devices.map((device) =>
        deviceView(device, passkeys, caller, session?.credentialId ?? ''),
      ),
    };
  });
}

function deviceView(
  { customerId: _owner, trustedAtMs, ...device }: OwnDevice,
  passkeys: readonly OwnPasskey[],
  caller: CustomerCaller,
  currentCredentialId: string,
): DeviceView {
  return {
    ...device,
    current: device.deviceId === caller.deviceId,
    trustedAt: isoTime(trustedAtMs),
    passkeys: passkeys
      .filter(({ deviceId }) => deviceId === device.deviceId)
      .map(({ deviceId: _device, createdAtMs, lastUsedAtMs, ...passkey }) => ({
        ...passkey,
        current: passkey.credentialId === currentCredentialId,
        createdAt: isoTime(createdAtMs),
        lastUsedAt: isoTime(lastUsedAtMs),
      })),
  };
}

const CHANGES = [
  {
    action: 'suspend',
    operationId: 'suspendDevice',
    summary: 'Suspend one of one’s devices',
    description: 'Its sessions end and its passkeys rest, until it is resumed.',
    problems: ['not_found', 'other_device_needed', 'device_ended'],
  },
  {
    action: 'resume',
    operationId: 'resumeDevice',
    summary: 'Resume a suspended device',
    description: 'It may log in again; what was ended stays ended.',
    problems: ['not_found', 'other_device_needed', 'device_ended'],
  },
  {
    action: 'revoke',
    operationId: 'revokeDevice',
    summary: 'Remove one of one’s devices',
    description: 'For ever: its sessions end, and its passkeys with it.',
    problems: ['not_found', 'other_device_needed'],
  },
] as const satisfies readonly {
  readonly action: DeviceAction;
  readonly [member: string]: unknown;
}[];

function registerChange(
  app: LatchkeyApp,
  services: ApiServices,
  { action, operationId, summary, description, problems }: (typeof CHANGES)[number],
): void {
  const config = { operationId, problems };
  const schema = {
    summary,
    description,
    tags,
    params: DeviceParams,
    body: EmptyBody,
    response: { 200: ChangedDeviceAnswer },
  };
  app.post(`/auth/devices/:deviceId/${action}`, { config, schema }, (request) => {
    const { tenant } = request;
    const { tenantId } = tenant;
    const { deviceId } = request.params;
    const caller = callerOf(request, 'customer');
    return changeOnce(services, request, {
      deviceId,
      change: async (tx) => {
        // A freeze stops nothing that takes access away for a while.
        const by = await standingOwner(tx, tenant, caller, { whileFrozen: action === 'suspend' });
        return await changeDevice(tx, { tenantId, deviceId, action, by });
      },
    });
  });
}

function registerRevokeCredential(app: LatchkeyApp, { database, idempotency }: ApiServices): void {
  const schema = {
    summary: 'Remove one of one’s passkeys',
    description: 'For ever, with the sessions that it began; from a session that another began.',
    tags,
    params: CredentialParams,
    body: EmptyBody,
    response: { 200: RevokedCredentialAnswer },
  };
  const problems = ['not_found', 'last_credential', 'other_device_needed'] as const;
  const config = { operationId: 'revokeCredential', problems } as const;
  app.post('/auth/credentials/:credentialId/revoke', { config, schema }, (request) => {
    const { tenant } = request;
    const { tenantId } = tenant;
    const { credentialId } = request.params;
    const caller = callerOf(request, 'customer');
    return idempotency.run(request, {
      work: async (claim) => {
        const sessionsEnded = await database.tenant(tenantId, async (tx) => {
          const by = await standingOwner(tx, tenant, caller);
          const ended = (await revokeCredential(tx, { tenantId, credentialId, by })).sessionsEnded;
          await claim.settle(tx, String(ended));
          return ended;
        });
        return { reference: String(sessionsEnded), answer: { credentialId, sessionsEnded } };
      },
      replay: (reference) => Promise.resolve({ credentialId, sessionsEnded: Number(reference) }),
    });
  });
}
