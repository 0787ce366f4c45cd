/**
 * Simulated time at the stage: a customer of a year, and a time to object that is over. It works on this stack's own database and says so; it must
 * never be built for a production process.
 */
import { connectDatabase } from '../db/connection.ts';
import { ageCustomer, passCoolingOff } from '../db/demo-time.ts';
import { readObject } from './local-http.ts';
import type { LocalAnswer, LocalRequest } from './local-http.ts';

export interface DemoTime {
  /** false: there is no such customer. */
  passYear(customerId: string): Promise<boolean>;
  /** false: no time to object runs in that case. */
  passCoolingOff(recoveryId: string): Promise<boolean>;
  /** Of that time the part that its owner cannot shorten; false likewise. */
  passCoolingFloor(recoveryId: string): Promise<boolean>;
  stop(): Promise<void>;
}

const ID = /^[a-z]{3}_[0-9a-f]{32}$/;

export function openDemoTime({
  databaseUrl,
  tenantId,
}: {
  readonly databaseUrl: string;
  readonly tenantId: string;
}): DemoTime {
  const database = connectDatabase({
    url: databaseUrl,
    maxConnections: 1,
    maxStatementConnections: 1,
  });
  return {
    passYear: (customerId) =>
      database.tenant(tenantId, (tx) => ageCustomer(tx, { tenantId, customerId })),
    passCoolingOff: (recoveryId) =>
      database.tenant(tenantId, (tx) => passCoolingOff(tx, { tenantId, recoveryId })),
    passCoolingFloor: (recoveryId) =>
      database.tenant(tenantId, (tx) => passCoolingOff(tx, { tenantId, recoveryId }, 'floor')),
    stop: () => database.close(),
  };
}

/** undefined: it is no request about time. */
export async function answerTimeRequest(
  { method, url, body }: Pick<LocalRequest, 'method' | 'url' | 'body'>,
  time: DemoTime | undefined,
): Promise<LocalAnswer | undefined> {
  if (method !== 'POST' || !url.pathname.startsWith('/time/')) return undefined;
  if (time === undefined) return { status: 409, body: { error: 'no_time_of_its_own' } };
  const asked = readObject(body) ?? {};
  if (url.pathname === '/time/year')
    return await passed(asked['customerId'], (id) => time.passYear(id));
  if (url.pathname === '/time/cooling-off')
    return await passed(asked['recoveryId'], (id) => time.passCoolingOff(id));
  if (url.pathname === '/time/cooling-floor')
    return await passed(asked['recoveryId'], (id) => time.passCoolingFloor(id));
  return undefined;
}

async function passed(id: unknown, pass: (id: string) => Promise<boolean>): Promise<LocalAnswer> {
  if (typeof id !== 'string' || !ID.test(id)) return { status: 400, body: { error: 'malformed' } };
  const hasPassed = await pass(id);
  return hasPassed
    ? { status: 200, body: { passed: true } }
    : { status: 404, body: { error: 'nothing_waits' } };
}
