/**
 * Approvals as a model: random lives of one customer's hold under four accounts of three persons, on real PostgreSQL, compared with a model of a
 * few lines after every step. test/mutants.ts lists faults that it finds.
 */
import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectDatabase } from '../../../db/connection.ts';
import { insertCustomer } from '../../setup/customer.ts';
import { approvalCommands, beginning } from '../../setup/models/approval-commands.ts';
import type { ApprovalModel, ApprovalReal } from '../../setup/models/approval-commands.ts';
import { createTestDatabase } from '../../setup/database.ts';
import { seedDemoTenant } from '../../setup/demo-tenant.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { insertStaff } from '../../setup/rows/staff-rows.ts';

/** The floor in `npm test`; more by LATCHKEY_MODEL_RUNS, the same again by LATCHKEY_MODEL_SEED. */
const RUNS = Number(process.env['LATCHKEY_MODEL_RUNS'] ?? '60');
const SEED = Number(process.env['LATCHKEY_MODEL_SEED'] ?? randomInt(2 ** 31));

let testDatabase: TestDatabase;
let tenantId: string;
const clock = { nowMs: Date.now() };
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  tenantId = await seedDemoTenant(testDatabase);
});
afterAll(() => testDatabase.drop());

describe('the life of a hold', () => {
  test(`follows the model in ${String(RUNS)} random lives`, { timeout: 300_000 }, async () => {
    process.stdout.write(`approval model: seed ${String(SEED)}, ${String(RUNS)} runs\n`);
    const url = testDatabase.applicationUrl;
    const database = connectDatabase({ url, testNowMs: () => clock.nowMs });
    let releases = 0;
    try {
      await fc.assert(
        fc.asyncProperty(approvalCommands, async (life) => {
          const setup = await database.tenant(tenantId, async (tx) => {
            const account = (roles: ['agent'] | ['supervisor'], employeeId: string) =>
              insertStaff(tx, tenantId, { roles, employeeId });
            const { customerId } = await insertCustomer(tx, tenantId);
            const unique = customerId.slice(-20);
            const accounts = [
              await account(['agent'], `${unique}-ana`),
              await account(['supervisor'], `${unique}-ANA`),
              await account(['supervisor'], `${unique}-sione`),
              await account(['agent'], `${unique}-ben`),
            ];
            const real: ApprovalReal = { database, clock, tenantId, customerId, accounts };
            const model: ApprovalModel = {
              roles: ['agent', 'supervisor', 'supervisor', 'agent'],
              isHeld: false,
              epoch: 1,
              releases: 0,
              request: undefined,
            };
            return { model, real };
          });
          await fc.asyncModelRun(() => setup, [...beginning, ...life]);
          releases += setup.model.releases;
        }),
        { seed: SEED, numRuns: RUNS, endOnFailure: true },
      );
    } finally {
      await database.close();
    }
    process.stdout.write(`approval model: ${String(releases)} releases\n`);
    // Lives in which nothing is ever released would prove little.
    expect(releases).toBeGreaterThan(RUNS / 20);
  });
});
