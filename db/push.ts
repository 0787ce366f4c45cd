/**
 * Where devices can be told that something waits: registrations with the token under the customer's key, and what a push needs at the moment it is
 * sent. A token belongs to the last who registered it; a registration ends with its device (migration 019) and with the person's key.
 */
import type { PushPlatform } from '../domain/ports.ts';
import type { Database, Tx } from './connection.ts';
import { enqueue } from './outbox.ts';
import type { PersonalData } from './personal-data.ts';

export const PUSH_PLATFORMS = ['apns', 'fcm'] as const satisfies readonly PushPlatform[];

const PURPOSE = 'push.token';

interface OwnDevice {
  readonly tenantId: string;
  readonly customerId: string;
  readonly deviceId: string;
}

/** Takes the place of what the device had, and of whoever had the token. The device is the caller's to have judged, under the customer's lock. */
export async function registerPush(
  tx: Tx,
  personalData: PersonalData,
  { platform, token, ...device }: OwnDevice & { platform: PushPlatform; token: string },
): Promise<void> {
  const { tenantId, customerId, deviceId } = device;
  const tokenIndex = personalData.blindIndex(tenantId, 'push_token', `${platform}:${token}`);
  const sealed = await personalData.seal(tx, { tenantId, customerId, purpose: PURPOSE }, token);
  await tx`
    delete from push_registration
    where tenant_id = ${tenantId} and token_index = ${tokenIndex} and device_id <> ${deviceId}`;
  await tx`
    insert into push_registration (tenant_id, device_id, customer_id, platform, token_index, sealed_token, registered_at)
    values (${tenantId}, ${deviceId}, ${customerId}, ${platform}, ${tokenIndex}, ${sealed}, latchkey_now())
    on conflict (tenant_id, device_id) do update set customer_id = excluded.customer_id, platform = excluded.platform,
      token_index = excluded.token_index, sealed_token = excluded.sealed_token, registered_at = excluded.registered_at`;
}

/** Answers whether there was one. */
export async function removePush(
  tx: Tx,
  { tenantId, customerId, deviceId }: OwnDevice,
): Promise<boolean> {
  const { count } = await tx`
    delete from push_registration
    where tenant_id = ${tenantId} and device_id = ${deviceId} and customer_id = ${customerId}`;
  return count === 1;
}

export interface PushTarget {
  readonly platform: PushPlatform;
  readonly token: string;
  readonly registeredAtMs: number;
  readonly bank: string;
  readonly locale: string;
  readonly expiresAtMs: number;
}

/** What relay/push.ts works with. */
export function createPushRows(database: Database, personalData: PersonalData) {
  return {
    fanOut: (tenantId: string, stepUp: { stepUpId: string; customerId: string }) =>
      database.tenant(tenantId, (tx) => fanOut(tx, { tenantId, ...stepUp })),
    target: (tenantId: string, push: { stepUpId: string; customerId: string; deviceId: string }) =>
      database.tenant(tenantId, (tx) => pushTarget(tx, personalData, { tenantId, ...push })),
    forget: (
      tenantId: string,
      gone: { deviceId: string; registeredAtMs: number; goneSinceMs?: number | undefined },
    ) => database.tenant(tenantId, (tx) => forget(tx, { tenantId, ...gone })),
  };
}

/** Those that may answer and can be told: trusted, registered, and the one that the step-up names, if it names one. */
async function fanOut(
  tx: Tx,
  { tenantId, stepUpId, customerId }: { tenantId: string; stepUpId: string; customerId: string },
): Promise<void> {
  const devices = await tx<{ deviceId: string }[]>`
    select p.device_id from ${waiting(tx)}
    join push_registration p on p.tenant_id = s.tenant_id and p.customer_id = s.customer_id
      and (s.device_id is null or s.device_id = p.device_id)
    join device d on d.tenant_id = p.tenant_id and d.device_id = p.device_id and d.status = 'trusted'
    where s.tenant_id = ${tenantId} and s.step_up_id = ${stepUpId} and s.customer_id = ${customerId}
    order by p.device_id`;
  for (const { deviceId } of devices) {
    await enqueue(tx, {
      tenantId,
      topic: 'push.send',
      subject: deviceId,
      payload: { stepUpId, customerId, deviceId },
    });
  }
}

/** A step-up that its customer may still answer. */
function waiting(tx: Tx) {
  return tx`step_up s join ceremony c on c.tenant_id = s.tenant_id and c.ceremony_id = s.step_up_id
    and c.state in ('starting', 'open') and c.deadline > latchkey_now()`;
}

async function pushTarget(
  tx: Tx,
  personalData: PersonalData,
  args: { tenantId: string; stepUpId: string; customerId: string; deviceId: string },
): Promise<PushTarget | undefined> {
  const { tenantId, stepUpId, customerId, deviceId } = args;
  const [row] = await tx<
    (Pick<PushTarget, 'platform' | 'bank' | 'locale'> & {
      readonly sealedToken: Uint8Array;
      readonly registeredAt: Date;
      readonly expiresAt: Date;
    })[]
  >`
    select p.platform, p.sealed_token, p.registered_at, t.name as bank, customer.locale, c.deadline as expires_at
    from ${waiting(tx)}
    join push_registration p on p.tenant_id = s.tenant_id and p.customer_id = s.customer_id and p.device_id = ${deviceId}
    join device d on d.tenant_id = p.tenant_id and d.device_id = p.device_id and d.status = 'trusted'
    join customer on customer.tenant_id = s.tenant_id and customer.customer_id = s.customer_id
    join tenant t on t.tenant_id = s.tenant_id
    where s.tenant_id = ${tenantId} and s.step_up_id = ${stepUpId} and s.customer_id = ${customerId}`;
  if (row === undefined) return undefined;
  const { sealedToken, registeredAt, expiresAt, ...rest } = row;
  return {
    ...rest,
    token: await personalData.open(tx, { tenantId, customerId, purpose: PURPOSE }, sealedToken),
    registeredAtMs: registeredAt.getTime(),
    expiresAtMs: expiresAt.getTime(),
  };
}

/** Unless it was registered anew since it was read, or since the vendor knows that it is gone. */
async function forget(
  tx: Tx,
  args: {
    tenantId: string;
    deviceId: string;
    registeredAtMs: number;
    goneSinceMs?: number | undefined;
  },
): Promise<void> {
  const { tenantId, deviceId, registeredAtMs, goneSinceMs = Infinity } = args;
  // The driver's Date has milliseconds, the column microseconds.
  const last = new Date(Math.min(registeredAtMs, goneSinceMs) + 1);
  await tx`
    delete from push_registration
    where tenant_id = ${tenantId} and device_id = ${deviceId} and registered_at < ${last}`;
}
