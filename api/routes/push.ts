/**
 * Where the device that asks can be told that something waits. Registering is one transaction in which its session is judged again under the
 * lock that a cut-off waits for, so that no device that was just removed is told anything.
 */
import type { Tx } from '../../db/connection.ts';
import { shareCustomer } from '../../db/customer-lock.ts';
import { PUSH_PLATFORMS, registerPush, removePush } from '../../db/push.ts';
import { readSession } from '../../db/sessions.ts';
import { isReadOnly } from '../../domain/auth-strength.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import type { ApiServices } from '../dependencies.ts';
import { PushRegistration, RegisteredPush, RemovedPush } from '../schemas/push.ts';
import { standingOf } from '../tokens/session-tokens.ts';
import { callerOf } from '../types.ts';
import type { CustomerCaller, LatchkeyApp, RequestTenant } from '../types.ts';

const tags = ['device'];

export function registerPushRoutes(app: LatchkeyApp, services: ApiServices): void {
  registerRegistration(app, services);
  registerRemoval(app, services);
}

function registerRegistration(
  app: LatchkeyApp,
  { database, personalData, idempotency }: ApiServices,
): void {
  const config = { operationId: 'registerPush' } as const;
  const schema = {
    summary: 'Register this device for pushes',
    description:
      'A push says only that something waits. The app sends its token after each login and whenever its platform changes it; it takes the place of the one before.',
    tags,
    body: PushRegistration,
    response: { 200: RegisteredPush },
  };
  app.put('/auth/push', { config, schema }, (request) => {
    const { tenant } = request;
    const { platform, token } = request.body;
    const caller = callerOf(request, 'customer');
    return idempotency.run(request, {
      work: async (claim) => {
        const reference = await database.tenant(tenant.tenantId, async (tx) => {
          const device = await standingDevice(tx, tenant, caller);
          await registerPush(tx, personalData, { ...device, platform, token });
          const made = `${device.deviceId} ${platform}`;
          await claim.settle(tx, made);
          return made;
        });
        return { reference, answer: registered(reference) };
      },
      replay: (reference) => Promise.resolve(registered(reference)),
    });
  });
}

function registerRemoval(app: LatchkeyApp, { database, idempotency }: ApiServices): void {
  const config = { operationId: 'removePush' } as const;
  const schema = {
    summary: 'Send this device no more pushes',
    tags,
    response: { 200: RemovedPush },
  };
  app.delete('/auth/push', { config, schema }, (request) => {
    const { tenantId } = request.tenant;
    const { customerId, deviceId = '' } = callerOf(request, 'customer');
    return idempotency.run(request, {
      work: async (claim) => {
        const reference = await database.tenant(tenantId, async (tx) => {
          const wasThere = await removePush(tx, { tenantId, customerId, deviceId });
          const made = `${deviceId} ${wasThere ? 'removed' : 'none'}`;
          await claim.settle(tx, made);
          return made;
        });
        return { reference, answer: removed(reference) };
      },
      replay: (reference) => Promise.resolve(removed(reference)),
    });
  });
}

/** The customer's row is shared first: what cuts this session off meanwhile either came first and is seen here, or waits. */
async function standingDevice(
  tx: Tx,
  tenant: RequestTenant,
  { customerId, sessionId }: CustomerCaller,
): Promise<{ tenantId: string; customerId: string; deviceId: string }> {
  const { tenantId } = tenant;
  await shareCustomer(tx, tenantId, customerId);
  const session = await readSession(tx, tenantId, sessionId);
  if (session === undefined) throw new LatchkeyError('session_ended');
  const { acr } = standingOf(session, tenant);
  if (isReadOnly(acr) || session.deviceId === null) throw new LatchkeyError('device_not_allowed');
  return { tenantId, customerId, deviceId: session.deviceId };
}

function registered(reference: string): RegisteredPush {
  const [deviceId = '', name] = reference.split(' ');
  const platform = PUSH_PLATFORMS.find((one) => one === name);
  if (platform === undefined) throw new TypeError('a reference of another operation');
  return { deviceId, platform };
}

function removed(reference: string): RemovedPush {
  const [deviceId = '', word] = reference.split(' ');
  return { deviceId, removed: word === 'removed' };
}
