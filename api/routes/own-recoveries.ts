/**
 * A recovery as the owner's old phones see it, and as whoever holds a notice does: to look, to object, to end the time to object early. What is proved
 * by passkey on a trusted phone that nobody reported ends a case; everything else holds it for the bank. An objection is never lost for lack of a login.
 */
import { isPasskeyOfReportedDevice } from '../../db/credentials.ts';
import type { Tx } from '../../db/connection.ts';
import { touchCustomer } from '../../db/customer-lock.ts';
import { approvalKeyOf } from '../../db/devices.ts';
import { objectToRecovery, shortenCooling, type Objected } from '../../db/recovery-ends.ts';
import { createObjectionLinks } from '../../db/recovery-links.ts';
import { objectionableRecoveries, objectUntilMs } from '../../db/recovery-view.ts';
import { customerOfRecovery, type RecoveryRecord } from '../../db/recovery.ts';
import { readSession, type SessionRecord } from '../../db/sessions.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { coolingOverMs } from '../../domain/recovery.ts';
import type { ApiServices } from '../dependencies.ts';
import { isoTime } from '../iso-time.ts';
import { EmptyBody } from '../schemas/empty-body.ts';
import {
  ObjectionAnswer,
  ObjectionLinkBody,
  OwnRecoveriesAnswer,
  RecoveryParams,
  ShortenBody,
  type OwnRecovery,
} from '../schemas/recoveries.ts';
import { standingOf } from '../tokens/session-tokens.ts';
import { callerOf, type CustomerCaller, type LatchkeyApp, type RequestTenant } from '../types.ts';
import { verifyApprovalKey } from '../webauthn/approval-key.ts';

const tags = ['recovery'];
/** A passkey that was used longer ago shows that somebody has the unlocked phone, and no more. */
const RECENT_SECONDS = 900;
const OBJECTION_PROBLEMS = ['recovery_not_found', 'ceremony_ended', 'ceremony_expired'] as const;

export function registerOwnRecoveryRoutes(app: LatchkeyApp, services: ApiServices): void {
  registerList(app, services);
  registerObjection(app, services);
  registerShorten(app, services);
  registerLink(app, services);
}

function registerList(app: LatchkeyApp, { database }: ApiServices): void {
  const config = { operationId: 'listOwnRecoveries' } as const;
  const schema = {
    summary: 'See whether somebody recovers this account',
    description: 'Open cases, and those that completed while an objection is still heard.',
    tags,
    response: { 200: OwnRecoveriesAnswer },
  };
  app.get('/auth/recoveries', { config, schema }, (request) => {
    const { tenantId } = request.tenant;
    const { customerId } = callerOf(request, 'customer');
    return database.tenant(tenantId, async (tx) => {
      const found = await objectionableRecoveries(tx, { tenantId, customerId });
      return { recoveries: found.map(ownView) };
    });
  });
}

function ownView(record: RecoveryRecord): OwnRecovery {
  const { state, outcome, reason, endedAtMs, coolingFromMs, times } = record;
  const untilMs = objectUntilMs(record);
  const isCooling = state === 'cooling' && coolingFromMs !== null;
  return {
    recoveryId: record.recoveryId,
    state,
    ...(outcome === null ? {} : { outcome }),
    ...(reason === null ? {} : { reason }),
    report: record.report,
    openedBy: record.openedByKind,
    createdAt: isoTime(record.createdAtMs),
    endedAt: endedAtMs === null ? null : isoTime(endedAtMs),
    objectUntil: Number.isFinite(untilMs) ? isoTime(untilMs) : null,
    coolingOverAt: isCooling ? isoTime(coolingOverMs(record)) : null,
    shortenFrom: isCooling ? isoTime(coolingFromMs + times.coolingFloorMs) : null,
  };
}

/** Judged again under the customer's lock: what ended the session meanwhile came first. */
async function standingSession(
  tx: Tx,
  tenant: RequestTenant,
  { customerId, sessionId }: CustomerCaller,
): Promise<SessionRecord> {
  await touchCustomer(tx, tenant.tenantId, customerId);
  const session = await readSession(tx, tenant.tenantId, sessionId);
  if (session === undefined) throw new LatchkeyError('session_ended');
  standingOf(session, tenant);
  return session;
}

/** Whose word is as good as a mailbox's: the passkey was used too long ago, or lives on a phone that was reported. */
async function isDoubtful(
  tx: Tx,
  tenantId: string,
  { authTimeMs, nowMs, credentialId }: SessionRecord,
): Promise<boolean> {
  if (nowMs - authTimeMs > RECENT_SECONDS * 1000) return true;
  return await isPasskeyOfReportedDevice(tx, tenantId, credentialId);
}

const RESULTS = {
  vetoed: 'ended',
  held: 'held',
  cut_off: 'stopped',
  noted: 'noted',
} as const satisfies Record<Objected['result'], ObjectionAnswer['result']>;

function resultOf(text: string): ObjectionAnswer {
  if (text === 'ended' || text === 'held' || text === 'stopped' || text === 'noted')
    return { result: text };
  throw new TypeError('a reference that nobody wrote');
}

function registerObjection(app: LatchkeyApp, services: ApiServices): void {
  const { database, idempotency } = services;
  const config = { operationId: 'objectToRecovery', problems: OBJECTION_PROBLEMS } as const;
  const schema = {
    summary: 'Object: that was not me',
    description:
      'From a trusted phone that nobody reported, with a passkey of the last quarter of an hour, it ends the case. From any other live session it holds it for the bank. Of a case that has completed it is a signal of fraud: everything of the account is cut off.',
    tags,
    params: RecoveryParams,
    body: EmptyBody,
    response: { 200: ObjectionAnswer },
  };
  app.post('/auth/recoveries/:recoveryId/object', { config, schema }, (request) => {
    const { tenant } = request;
    const { tenantId } = tenant;
    const caller = callerOf(request, 'customer');
    const { customerId } = caller;
    const { recoveryId } = request.params;
    return idempotency.run(request, {
      work: async (claim) => {
        const result = await database.tenant(tenantId, async (tx) => {
          const session = await standingSession(tx, tenant, caller);
          const objected = await objectToRecovery(tx, services, {
            subject: { tenantId, recoveryId },
            customerId,
            deviceId: session.deviceId ?? undefined,
            isDoubted: await isDoubtful(tx, tenantId, session),
          });
          await claim.settle(tx, RESULTS[objected.result]);
          return RESULTS[objected.result];
        });
        return { reference: result, answer: { result } };
      },
      replay: (result) => Promise.resolve(resultOf(result)),
    });
  });
}

function registerShorten(app: LatchkeyApp, services: ApiServices): void {
  const { database, idempotency } = services;
  const config = {
    operationId: 'shortenRecovery',
    problems: [
      'recovery_not_found',
      'wrong_step',
      'recovery_held',
      'cooling_off',
      'device_not_allowed',
      'approval_key_invalid',
      'ceremony_ended',
      'ceremony_expired',
    ],
  } as const;
  const schema = {
    summary: 'End the time to object early: that was me',
    description:
      'From a trusted phone that nobody reported, with a passkey of the last five minutes and this phone’s approval key. Never before the floor that policy sets.',
    tags,
    params: RecoveryParams,
    body: ShortenBody,
    response: { 200: EmptyBody },
  };
  app.post('/auth/recoveries/:recoveryId/shorten', { config, schema }, (request) => {
    const { tenant } = request;
    const { tenantId } = tenant;
    const caller = callerOf(request, 'customer');
    const { customerId } = caller;
    const { recoveryId } = request.params;
    return idempotency.run(request, {
      work: async (claim) => {
        await database.tenant(tenantId, async (tx) => {
          const session = await standingSession(tx, tenant, caller);
          const { deviceId } = session;
          if (deviceId === null || (await isDoubtful(tx, tenantId, session)))
            throw new LatchkeyError('device_not_allowed');
          const jwk = await approvalKeyOf(tx, { tenantId, deviceId });
          if (jwk === undefined) throw new LatchkeyError('device_not_allowed');
          const { proof } = request.body;
          const { jkt: sessionJkt } = session;
          await verifyApprovalKey({ jwk, proof, challenge: recoveryId, sessionJkt });
          const subject = { tenantId, recoveryId };
          await shortenCooling(tx, { subject, customerId, deviceId });
          await claim.settle(tx, recoveryId);
        });
        return { reference: recoveryId, answer: {} };
      },
      replay: () => Promise.resolve({}),
    });
  });
}

function registerLink(app: LatchkeyApp, services: ApiServices): void {
  const { database, kms } = services;
  const links = createObjectionLinks(kms);
  const config = {
    operationId: 'objectByLink',
    problems: ['recovery_link_invalid', 'ceremony_ended', 'ceremony_expired'],
  } as const;
  const schema = {
    summary: 'Object by the link of a notice',
    description:
      'The token is the fragment of the link in the notice; opening the page sends nothing. Alone it holds the case for the bank and never ends it; of a case that has completed it is a signal of fraud.',
    tags,
    body: ObjectionLinkBody,
    response: { 200: ObjectionAnswer },
  };
  app.post('/recovery-objections', { config, schema }, async (request) => {
    const { tenantId } = request.tenant;
    const recoveryId = links.read(tenantId, request.body.token);
    if (recoveryId === undefined) throw new LatchkeyError('recovery_link_invalid');
    const subject = { tenantId, recoveryId };
    const objected = await database.tenant(tenantId, async (tx) => {
      const customerId = await customerOfRecovery(tx, subject);
      if (customerId === undefined) throw new LatchkeyError('recovery_link_invalid');
      return await objectToRecovery(tx, services, { subject, customerId });
    });
    return { result: RESULTS[objected.result] };
  });
}
