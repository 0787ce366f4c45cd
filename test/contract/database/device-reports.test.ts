/** A device reported lost or stolen, as rows: it only reads at once, keeps what it was, and comes back only by another hand than its own. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../../adapters/random.ts';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database, Tx } from '../../../db/connection.ts';
import { touchCustomer } from '../../../db/customer-lock.ts';
import { changeDevice } from '../../../db/device-changes.ts';
import {
  liftReport,
  liftReportByStaff,
  reportByStaff,
  restrictReportedDevice,
} from '../../../db/device-reports.ts';
import { readSession } from '../../../db/sessions.ts';
import { consumeStepUp } from '../../../db/step-up-consume.ts';
import { FULL_SCOPES, READ_ONLY_SCOPES } from '../../../domain/auth-strength.ts';
import type { DeviceStatus } from '../../../domain/auth-strength.ts';
import { DEFAULT_POLICY } from '../../../domain/policy.ts';
import { judgeSession } from '../../../domain/session-standing.ts';
import {
  cutOffCustomer,
  insertDevice,
  insertLiveSession,
  releaseCustomer,
} from '../../setup/customer.ts';
import type { SeededCustomer } from '../../setup/customer.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { seedDemoTenant } from '../../setup/demo-tenant.ts';
import { faultsOf, typesOf, typesSeen } from '../../setup/emitted-events.ts';
import type { EmittedEvent } from '../../setup/emitted-events.ts';
import { insertStaff } from '../../setup/rows/staff-rows.ts';
import {
  approved,
  insertStepUpCustomer,
  payment,
  PAYMENTS,
  STEP_UP_TOOLS,
} from '../../setup/step-ups.ts';
import type { StepUpCustomer } from '../../setup/step-ups.ts';

let testDatabase: TestDatabase;
let database: Database;
let tenantId: string;
let customer: StepUpCustomer;
let other: SeededCustomer;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  tenantId = await seedDemoTenant(testDatabase);
  database = connectDatabase({ url: testDatabase.applicationUrl });
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});
beforeEach(async () => {
  customer = await run((tx) => insertStepUpCustomer(tx, tenantId));
  other = await run((tx) => insertDevice(tx, tenantId, { customerId: customer.customerId }));
});

const run = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => database.tenant(tenantId, work);
const report = (as: 'lost' | 'stolen' = 'lost', deviceId = customer.deviceId) =>
  run((tx) =>
    restrictReportedDevice(tx, {
      tenantId,
      customerId: customer.customerId,
      deviceId,
      as,
      by: { kind: 'customer', id: customer.customerId },
    }),
  );
const ownerOn = ({ deviceId, credentialId }: SeededCustomer) =>
  ({ kind: 'owner', customerId: customer.customerId, deviceId, credentialId }) as const;
const lift = (from: SeededCustomer = other) =>
  run(async (tx) => {
    await touchCustomer(tx, tenantId, customer.customerId);
    return await liftReport(tx, {
      tenantId,
      deviceId: customer.deviceId,
      by: ownerOn(from),
    });
  });
const device = () =>
  run(async (tx) => {
    const [row] = await tx<
      { status: DeviceStatus; suspendedFrom: string | null; reportedAs: string | null }[]
    >`
      select status, suspended_from, reported_as from device where device_id = ${customer.deviceId}`;
    return row;
  });
const newStaff = async (employeeId?: string) => {
  const seed = { roles: ['agent'], ...(employeeId === undefined ? {} : { employeeId }) } as const;
  return (await run((tx) => insertStaff(tx, tenantId, seed))).staffId;
};

describe('a reported device', () => {
  it('keeps its session, which only reads from the commit on', async () => {
    const sessionId = await run((tx) => insertLiveSession(tx, customer, { scopes: FULL_SCOPES }));
    await report();
    const session = await run((tx) => readSession(tx, tenantId, sessionId));
    if (session === undefined) throw new Error('no session');
    expect(judgeSession(session, DEFAULT_POLICY.session)).toMatchObject({
      acr: 'latchkey:1',
      scopes: [...READ_ONLY_SCOPES],
    });
  });

  it('makes void what was approved on it', async () => {
    const stepUpId = await approved(run, customer);
    await report('stolen');
    const use = { tenantId, stepUpId, requester: PAYMENTS, action: payment('400.00') };
    await expect(run((tx) => consumeStepUp(tx, STEP_UP_TOOLS, use))).rejects.toMatchObject({
      code: 'device_not_allowed',
    });
  });

  it('is what it was once the report is lifted from another of the owner’s', async () => {
    await report();
    expect(await lift()).toMatchObject({ status: 'trusted' });
    expect(await device()).toEqual({ status: 'trusted', suspendedFrom: null, reportedAs: null });
    expect(await lift()).toMatchObject({ status: 'trusted' });
  });

  it('cannot lift its own report, nor can one of its passkeys', async () => {
    await report();
    await expect(lift(customer)).rejects.toMatchObject({ code: 'other_device_needed' });
    const byItsPasskey = { ...other, credentialId: customer.credentialId };
    await expect(lift(byItsPasskey)).rejects.toMatchObject({ code: 'other_device_needed' });
  });

  it('stays as it was first reported, but for lost becoming stolen', async () => {
    await report('lost');
    await report('stolen');
    await report('lost');
    expect(await device()).toMatchObject({ status: 'restricted', reportedAs: 'stolen' });
    expect(await lift()).toMatchObject({ status: 'trusted' });
  });

  it('that is suspended stays so, and reads only when it is resumed', async () => {
    const change = (action: 'suspend' | 'resume') =>
      run(async (tx) => {
        await touchCustomer(tx, tenantId, customer.customerId);
        const { deviceId } = customer;
        await changeDevice(tx, { tenantId, deviceId, action, by: ownerOn(other) });
      });
    await change('suspend');
    await report();
    expect(await device()).toMatchObject({ status: 'suspended', suspendedFrom: 'restricted' });
    await change('resume');
    expect(await device()).toMatchObject({ status: 'restricted', reportedAs: 'lost' });
    await change('suspend');
    await lift();
    await change('resume');
    expect(await device()).toMatchObject({ status: 'trusted', reportedAs: null });
  });

  it('stays reported through a hold and its release', async () => {
    await report();
    await run((tx) => cutOffCustomer(tx, customer));
    await run((tx) => releaseCustomer(tx, customer));
    expect(await device()).toMatchObject({ status: 'restricted', reportedAs: 'lost' });
    await lift();
    expect(await device()).toMatchObject({ status: 'trusted' });
  });

  it('that was removed stays removed, and one of somebody else is not there', async () => {
    await run(async (tx) => {
      await touchCustomer(tx, tenantId, customer.customerId);
      const { deviceId } = customer;
      await changeDevice(tx, { tenantId, deviceId, action: 'revoke', by: ownerOn(other) });
    });
    await expect(report()).rejects.toMatchObject({ code: 'device_ended' });
    const stranger = await run((tx) => insertStepUpCustomer(tx, tenantId));
    await expect(report('lost', stranger.deviceId)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('that is still being set up cannot be reported', async () => {
    const { customerId } = customer;
    const { deviceId } = await run((tx) =>
      insertDevice(tx, tenantId, { customerId, deviceStatus: 'pending' }),
    );
    await expect(report('lost', deviceId)).rejects.toMatchObject({ code: 'device_not_allowed' });
  });

  it('is never trusted by the database, whatever statement says so', async () => {
    await report();
    await expect(
      run(async (tx) => {
        await tx`update device set status = 'trusted' where device_id = ${customer.deviceId}`;
      }),
    ).rejects.toMatchObject({ constraint_name: 'device_reported_restricted' });
  });
});

describe('a report by staff', () => {
  const byStaff = (staffId: string, callId?: string) =>
    run((tx) =>
      reportByStaff(tx, {
        tenantId,
        deviceId: customer.deviceId,
        as: 'stolen',
        staffId,
        because: 'customer_request',
        callId,
      }),
    );

  it('is lifted by another natural person, whichever account the first one uses', async () => {
    const [agent, second] = [await newStaff('E-1'), await newStaff('e-1')];
    await byStaff(agent);
    const liftAs = (staffId: string) =>
      run((tx) =>
        liftReportByStaff(tx, {
          tenantId,
          deviceId: customer.deviceId,
          staffId,
          because: 'customer_request',
        }),
      );
    await expect(liftAs(second)).rejects.toMatchObject({ code: 'four_eyes_required' });
    expect(await liftAs(await newStaff())).toMatchObject({ status: 'trusted' });
  });

  it('may name the call in which this customer proved himself, and no other', async () => {
    const agent = await newStaff();
    await expect(byStaff(agent, newId('ceremony'))).rejects.toMatchObject({
      code: 'caller_not_proved',
    });
    const payments = await approved(run, customer);
    await expect(byStaff(agent, payments)).rejects.toMatchObject({ code: 'caller_not_proved' });
    expect(await device()).toMatchObject({ status: 'trusted' });
  });
});

describe('what is told of reports', () => {
  it('stands in the catalogue, the audit and a notice', async () => {
    await report();
    await lift();
    const rows = await run(
      (tx) => tx<{ payload: EmittedEvent }[]>`
        select payload from outbox
        where topic = 'event' and payload->>'type' in ('bank.app.device_restricted', 'bank.app.report_lifted')`,
    );
    const events = rows.map(({ payload }) => payload);
    expect(events.flatMap(faultsOf)).toEqual([]);
    expect(typesSeen(events)).toEqual(typesOf('test/contract/database/device-reports.test.ts'));
    const told = await run(
      (tx) => tx<{ template: string }[]>`
        select payload->>'template' as template from outbox
        where topic like 'message.%' and payload->>'customerId' = ${customer.customerId} order by position`,
    );
    expect(told.map(({ template }) => template)).toEqual(['device_reported', 'report_lifted']);
  });
});
