/** Which activities each task queue has, and which stores and adapters stand behind their ports. */
import { Context } from '@temporalio/activity';
import { createEnrollmentActivities } from '../activities/enrollment.ts';
import { createIdentityActivities } from '../activities/identity.ts';
import { createKeyRotationActivities } from '../activities/key-rotation.ts';
import { createLivenessActivities } from '../activities/liveness.ts';
import { createReceiptActivities } from '../activities/receipt.ts';
import { createRecoveryActivities } from '../activities/recovery.ts';
import { createRevocationActivities } from '../activities/revocation.ts';
import { createSessionActivities } from '../activities/session.ts';
import { createStepUpActivities } from '../activities/step-up.ts';
import { systemClock } from '../adapters/clock.ts';
import { createHttpIdentityVerifier } from '../adapters/identity/signed-http.ts';
import { newId } from '../adapters/random.ts';
import { createRiskEngine } from '../adapters/risk/engine.ts';
import { createEnrollmentStore } from '../db/enrollment-store.ts';
import { createKeyRotationStore } from '../db/key-rotation.ts';
import { createReceiptStore } from '../db/receipts.ts';
import { createRecoveryStore } from '../db/recovery-store.ts';
import { createRevocationReceiptSigner } from '../db/revocation-receipts.ts';
import { createRevocationStore } from '../db/revocation-store.ts';
import { createSessionStore } from '../db/session-lifecycle.ts';
import { createStepUpStore } from '../db/step-up-store.ts';
import { tenantUrl } from '../domain/tenant-url.ts';
import { KINDS } from '../relay/kinds.ts';
import type { TaskQueue } from '../temporal/queues.ts';
import type { Activities } from '../temporal/worker-group.ts';
import type { WorkerParts } from './parts.ts';

export function createActivities(parts: WorkerParts): Readonly<Record<TaskQueue, Activities>> {
  const { configuration, database, personalData, otpCodes, gateway, kms, signer } = parts;
  const enrollments = createEnrollmentStore(database, { personalData, newId, otpCodes });
  const recoveries = createRecoveryStore(database, { personalData, newId });
  const heartbeat = {
    beat: (details: string) => {
      Context.current().heartbeat(details);
    },
    pause: (milliseconds: number) => Context.current().sleep(milliseconds),
  };
  return {
    sessions: createSessionActivities({ store: createSessionStore(database) }),
    ceremonies: {
      ...createEnrollmentActivities({ store: enrollments }),
      ...createRecoveryActivities({ store: recoveries }),
      ...createStepUpActivities({
        store: createStepUpStore(database, { personalData, newId, otpCodes }),
        risk: createRiskEngine(configuration.risk, { clock: systemClock }),
      }),
    },
    revocations: createRevocationActivities({
      store: createRevocationStore(database),
      signer: createRevocationReceiptSigner({
        database,
        signer,
        issuerOf: (tenantId) => urlOf(parts, tenantId),
      }),
      bell: {
        ring: (tenantId, { kind, id, healCount }, signalId) =>
          KINDS[kind].wake(gateway, { tenantId, id, healCount }, signalId),
      },
      heartbeat,
      nowMs: () => systemClock.nowMs(),
    }),
    vendors: {
      ...createIdentityActivities({
        store: enrollments,
        verifier: createHttpIdentityVerifier({ ...configuration.identity, clock: systemClock }),
        callbackUrl: async (tenantId) => `${await urlOf(parts, tenantId)}/vendors/identity/results`,
      }),
      ...createLivenessActivities({
        store: recoveries,
        checker: parts.liveness,
        vendorId: configuration.liveness?.vendor ?? 'none',
        callbackUrl: async (tenantId) => `${await urlOf(parts, tenantId)}/vendors/liveness/results`,
        heartbeat,
        nowMs: () => systemClock.nowMs(),
      }),
      ...createKeyRotationActivities({ store: createKeyRotationStore(database, { kms, newId }) }),
      ...createReceiptActivities({ store: receiptStore(parts) }),
    },
  };
}

/** For the relay; and for step-ups that began when their workflow still asked for it. */
export function receiptStore(parts: WorkerParts): ReturnType<typeof createReceiptStore> {
  const { database, personalData, signer } = parts;
  return createReceiptStore(database, {
    personalData,
    newId,
    signer,
    issuerOf: (tenantId) => urlOf(parts, tenantId),
  });
}

async function urlOf({ configuration, database }: WorkerParts, tenantId: string): Promise<string> {
  const slug = (await database.tenants()).find((tenant) => tenant.tenantId === tenantId)?.slug;
  if (slug === undefined) throw new TypeError('an activity of a tenant that is not there');
  return tenantUrl(configuration.http, slug);
}
