/**
 * What the two races of SECURITY.md section 1 share: a tenant of its own, a stage to move transactions on, and a grant of a session as the
 * API hands it over after it has verified everything.
 */
import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { newId } from '../../../adapters/random.ts';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database } from '../../../db/connection.ts';
import type { VerifiedLogin } from '../../../db/login.ts';
import type { NewSession } from '../../../db/sessions.ts';
import { insertCustomer } from '../customer.ts';
import type { SeededCustomer } from '../customer.ts';
import { createTestDatabase } from '../database.ts';
import { seedDemoTenant } from '../demo-tenant.ts';
import { openStage } from './interleaving.ts';
import type { Stage } from './interleaving.ts';

export interface Race {
  readonly tenantId: string;
  readonly database: Database;
  readonly superuser: postgres.Sql;
  readonly stage: Stage;
  newCustomer(): Promise<SeededCustomer>;
  close(): Promise<void>;
}

/** Call it in `beforeAll`, and `close()` in `afterAll`. */
export async function openRace(): Promise<Race> {
  const testDatabase = await createTestDatabase();
  const tenantId = await seedDemoTenant(testDatabase);
  const database = connectDatabase({ url: testDatabase.applicationUrl, maxConnections: 2 });
  const superuser = postgres(testDatabase.superuserUrl, { max: 1, onnotice: () => undefined });
  const stage = openStage(testDatabase, tenantId);
  return {
    tenantId,
    database,
    superuser,
    stage,
    newCustomer: () => database.tenant(tenantId, (tx) => insertCustomer(tx, tenantId)),
    close: async () => {
      await stage.close();
      await database.close();
      await superuser.end();
      await testDatabase.drop();
    },
  };
}

export function verifiedLogin(customer: SeededCustomer, nowMs: number): VerifiedLogin {
  return {
    ...customer,
    clientId: 'demo-app',
    signCount: 0,
    isBackedUp: false,
    risk: 'not_evaluated',
    challenge: { hash: randomBytes(32), issuedAtMs: nowMs, expiresAtMs: nowMs + 300_000 },
    sessionId: newId('session'),
    salt: randomBytes(32),
    keyId: 'k1',
    firstHash: randomBytes(32),
  };
}

/** Of a login that judged nothing: what insertSession() is given under that epoch. */
export function grantedSession(customer: SeededCustomer, epoch: number): NewSession {
  const { sessionId, salt, keyId, firstHash, clientId } = verifiedLogin(customer, 0);
  return {
    ...customer,
    sessionId,
    salt,
    keyId,
    firstHash,
    clientId,
    epoch,
    acr: 'latchkey:2',
    amr: ['pop'],
    scopes: ['openid'],
    risk: 'not_evaluated',
    policyVersion: 1,
    idleSeconds: 600,
    absoluteSeconds: 600,
  };
}
