/**
 * One row of every table for a tenant, written by the application's role like anything else. The tenant test fails for a table
 * that has no seed here, so that a new table cannot go untested.
 */
import { newId } from '../../../adapters/random.ts';
import type { Tx } from '../../../db/connection.ts';
import { DEFAULT_POLICY } from '../../../domain/policy.ts';

type Row = Readonly<Record<string, unknown>>;

/** Every slot has a partition of its own, and one no slot falls into is the default's. */
export const DPOP_SLOTS = [...Array.from({ length: 16 }, (_, slot) => slot), 99];

const bytes = (text: string) => Buffer.from(text);
const past = new Date('2026-01-01T00:00:00Z');
const future = new Date('2036-01-01T00:00:00Z');

/** By table, in an order that foreign keys allow. `name` keeps what is unique across tenants apart. */
export function seedRows(tenantId: string, name: string): ReadonlyMap<string, readonly Row[]> {
  const ids = {
    person: newId('person'),
    customer: newId('customer'),
    contact: newId('contact'),
    device: newId('device'),
    credential: newId('credential'),
    revocation: newId('revocation'),
    ceremony: newId('ceremony'),
    stepUp: newId('ceremony'),
    recovery: newId('ceremony'),
    staff: newId('staff'),
    hold: newId('hold'),
    outbox: newId('outbox'),
  };
  const customer = { tenantId, customerId: ids.customer };
  const ceremony = { tenantId, ceremonyId: ids.ceremony };
  return new Map<string, readonly Row[]>([
    ['tenant', [{ tenantId, slug: name, name, rpId: 'localhost', origins: ['http://localhost'] }]],
    [
      'policy',
      [{ tenantId, version: 1, document: DEFAULT_POLICY, preparedBy: 'one', approvedBy: 'two' }],
    ],
    ['client', [{ tenantId, clientId: 'app', kind: 'app', name: 'App' }]],
    [
      'person',
      [
        {
          tenantId,
          personId: ids.person,
          identityIndex: bytes('document'),
          evidenceId: 'evidence',
        },
      ],
    ],
    ['customer', [{ ...customer, status: 'active', personId: ids.person, locale: 'en' }]],
    ['customer_key', [{ ...customer, kekId: 'kek', sealedKey: bytes('key') }]],
    ['contact', [contactRow(customer, ids.contact)]],
    ['device', [deviceRow(customer, ids.device)]],
    ['push_registration', [pushRow(customer, ids.device)]],
    [
      'client_callback',
      [
        {
          tenantId,
          clientId: 'app',
          url: 'https://bank.example',
          kekId: 'kek',
          sealedSecrets: bytes('secrets'),
        },
      ],
    ],
    ['action_type', [{ tenantId, name: 'loan_payout', version: 1, definition: { members: {} } }]],
    ['credential', [credentialRow(customer, ids)]],
    [
      'customer_freeze',
      [
        {
          ...customer,
          freezeId: newId('freeze'),
          how: 'app',
          isProved: true,
          placedByKind: 'customer',
          placedBy: ids.customer,
          placedAt: past,
          frozenUntil: future,
          addedSeconds: 1,
        },
      ],
    ],
    [
      'freeze_request',
      [
        {
          tenantId,
          requestId: newId('freezeRequest'),
          jkt: 'thumbprint',
          status: 'sent',
          createdAt: past,
          expiresAt: future,
        },
      ],
    ],
    ['revocation', [revocationRow(customer, ids.revocation)]],
    ['hold', [holdRow(customer, ids)]],
    ['session', [sessionRow(customer, ids)]],
    [
      'ceremony',
      [
        ceremonyRow(customer, ids.ceremony),
        stepUpCeremonyRow(customer, ids.stepUp),
        recoveryCeremonyRow(customer, ids.recovery),
      ],
    ],
    ['recovery', [recoveryRow(customer, ids.recovery)]],
    ['recovery_request', [recoveryRequestRow(tenantId)]],
    ['recovery_factor', [factorRow(customer, ids.recovery)]],
    ['step_up', [stepUpRow(customer, ids.stepUp)]],
    ['step_up_spend', [{ ...customer, currency: 'NZD', day: '2026-01-01', totalMinor: '40000' }]],
    ['step_up_evidence', [evidenceRow(customer, ids.stepUp)]],
    ['receipt_key', [{ tenantId, keyId: 'thumbprint', publicJwk: { kty: 'EC' }, validFrom: past }]],
    ['receipt', [receiptRow(customer, ids.stepUp)]],
    ['step_attempt', [attemptRow(ceremony, ids.contact)]],
    ['step_submission', [submissionRow(ceremony)]],
    ['key_canary', [{ tenantId, purpose: 'payload', kid: 'key', sealed: bytes('canary') }]],
    ['limit_counter', [{ tenantId, key: name, points: 1, expire: 1 }]],
    ['cut_off', [{ tenantId, kind: 'session', subject: 'x' }]],
    ['number_limit', [{ tenantId, numberIndex: bytes('number'), freeAt: future }]],
    ['spent_challenge', [{ tenantId, challengeHash: bytes('challenge'), expiresAt: future }]],
    [
      'dpop_jti',
      DPOP_SLOTS.map((slot) => ({ tenantId, slot, jtiHash: bytes('jti'), seenAt: past })),
    ],
    [
      'outbox',
      [
        {
          tenantId,
          outboxId: ids.outbox,
          topic: 'session.wake',
          subject: 'x',
          payload: { sessionId: 'x' },
        },
      ],
    ],
    [
      'event_delivery',
      [
        {
          tenantId,
          outboxId: ids.outbox,
          sink: 'stdout',
          subject: 'x',
          sequence: 1,
          giveUpAt: future,
        },
      ],
    ],
    ['event_sink_stop', [{ tenantId, sink: 'stdout', reason: 'gone' }]],
    ['audit', [auditRow(tenantId)]],
    ['idempotency', [idempotencyRow(tenantId)]],
    ['signing_key', [signingKeyRow(tenantId)]],
    ['staff', [staffRow(tenantId, ids.staff)]],
    ['staff_session', [staffSessionRow(tenantId, ids.staff)]],
    ['approval', [approvalRow(customer, ids)]],
    ['recovery_decision', [decisionRow(tenantId, ids)]],
  ]);
}

export async function insertRow(tx: Tx, table: string, row: Row): Promise<void> {
  const columns = Object.keys(row);
  // The driver's helper wants to know the columns' types, which only the table does.
  await tx`insert into ${tx(table)} ${tx(row as Record<string, string>, columns)}`;
}

function contactRow(customer: Row, contactId: string): Row {
  const sealed = { blindIndex: bytes('phone'), sealedValue: bytes('sealed') };
  return { ...customer, contactId, kind: 'phone', status: 'proved', ...sealed };
}

function deviceRow(customer: Row, deviceId: string): Row {
  return {
    ...customer,
    deviceId,
    clientId: 'app',
    status: 'trusted',
    name: 'Phone',
    platform: 'android',
    sessionJkt: 'session key',
    sessionJwk: { kty: 'EC' },
    approvalJkt: 'approval key',
    approvalJwk: { kty: 'EC' },
    attestationLevel: 'software',
  };
}

function pushRow(customer: Row, deviceId: string): Row {
  const sealed = { tokenIndex: bytes('token'), sealedToken: bytes('sealed') };
  return { ...customer, deviceId, platform: 'apns', ...sealed, registeredAt: past };
}

function credentialRow(customer: Row, ids: { credential: string; device: string }): Row {
  return {
    ...customer,
    credentialId: ids.credential,
    deviceId: ids.device,
    webauthnId: 'webauthn',
    publicKey: bytes('public'),
    userHandle: bytes('handle'),
    signCount: 0,
    aaguid: '00000000-0000-0000-0000-000000000000',
    attestationFormat: 'none',
    backupEligible: false,
    backedUp: false,
    status: 'active',
  };
}

function revocationRow(customer: Row, revocationId: string): Row {
  return {
    ...customer,
    revocationId,
    status: 'running',
    reason: 'other',
    requestedBy: 'fraud',
    oldEpoch: 1,
    newEpoch: 2,
    effectiveAt: past,
    lastTokenDiesAt: past,
    devices: 1,
    credentials: 1,
  };
}

function holdRow(customer: Row, ids: { hold: string; revocation: string }): Row {
  const placed = { reason: 'other', placedBy: 'fraud', placedAt: past };
  return {
    ...customer,
    holdId: ids.hold,
    revocationId: ids.revocation,
    status: 'active',
    ...placed,
  };
}

function sessionRow(customer: Row, ids: { credential: string; device: string }): Row {
  return {
    ...customer,
    sessionId: newId('session'),
    deviceId: ids.device,
    credentialId: ids.credential,
    clientId: 'app',
    status: 'live',
    epoch: 1,
    jkt: 'session key',
    acr: 'latchkey:2',
    amr: ['user'],
    authTime: past,
    scopes: ['openid'],
    risk: 'not_evaluated',
    currentHash: bytes('hash'),
    salt: bytes('salt'),
    keyId: 'key',
    policyVersion: 1,
    startedAt: past,
    lastSeenAt: past,
    idleDeadline: future,
    absoluteDeadline: future,
  };
}

function ceremonyRow(customer: Row, ceremonyId: string): Row {
  return {
    ...customer,
    ceremonyId,
    kind: 'enrollment',
    clientId: 'app',
    jkt: 'session key',
    state: 'phone',
    epoch: 1,
    policyVersion: 1,
    locale: 'en',
    deadline: future,
    createdAt: past,
  };
}

function stepUpCeremonyRow(customer: Row, ceremonyId: string): Row {
  return {
    ...customer,
    ceremonyId,
    kind: 'step_up',
    requester: 'client:payments',
    state: 'open',
    epoch: 1,
    policyVersion: 1,
    locale: 'en',
    deadline: future,
    createdAt: past,
  };
}

function stepUpRow(customer: Row, stepUpId: string): Row {
  return {
    ...customer,
    stepUpId,
    requesterKind: 'client',
    requesterId: 'payments',
    actionType: 'payment',
    sealedRequest: bytes('sealed'),
    referenceIndex: bytes('reference'),
    required: 'latchkey:3',
  };
}

function evidenceRow(customer: Row, stepUpId: string): Row {
  const sealed = { sealed: bytes('sealed'), auditId: 'aud_x', recordedAt: past };
  return { ...customer, stepUpId, factor: 'keys', ...sealed };
}

function attemptRow(ceremony: Row, contactId: string): Row {
  const times = { createdAt: past, expiresAt: future };
  return {
    ...ceremony,
    attemptId: newId('attempt'),
    step: 'phone',
    method: 'sms_otp',
    status: 'open',
    contactId,
    ...times,
  };
}

function submissionRow(ceremony: Row): Row {
  const times = { createdAt: past, notAfter: future };
  return {
    ...ceremony,
    submissionId: newId('submission'),
    step: 'phone',
    sealedPayload: bytes('sealed'),
    ...times,
  };
}

function receiptRow(customer: Row, stepUpId: string): Row {
  return {
    ...customer,
    receiptId: newId('receipt'),
    stepUpId,
    keyId: 'thumbprint',
    sealed: bytes('sealed'),
    sealedAt: past,
  };
}

function auditRow(tenantId: string): Row {
  return {
    tenantId,
    actorKind: 'system',
    actorId: 'x',
    action: 'test.done',
    subjectKind: 'test',
    subjectId: 'x',
  };
}

function idempotencyRow(tenantId: string): Row {
  const digests = { keyHash: bytes('key'), bodyHash: bytes('body') };
  return { tenantId, caller: 'x', operation: 'login', ...digests, expiresAt: future };
}

function signingKeyRow(tenantId: string): Row {
  return {
    tenantId,
    keyId: newId('signingKey'),
    purpose: 'access_token',
    publicJwk: { kty: 'EC' },
    kekId: 'kek',
    sealedPrivate: bytes('sealed'),
    activeFrom: past,
  };
}

function staffRow(tenantId: string, staffId: string): Row {
  return {
    tenantId,
    staffId,
    issuer: 'https://idp.example',
    subject: 'x',
    employeeId: 'E1',
    name: 'Ana',
    roles: ['agent'],
    createdAt: past,
    lastLoginAt: past,
  };
}

function staffSessionRow(tenantId: string, staffId: string): Row {
  return {
    tenantId,
    staffSessionId: newId('staffSession'),
    staffId,
    kind: 'browser',
    status: 'live',
    tokenHash: bytes('token'),
    roles: ['agent'],
    authTime: past,
    startedAt: past,
    lastSeenAt: past,
    idleDeadline: future,
    absoluteDeadline: future,
  };
}

function approvalRow(customer: Row, ids: { hold: string; staff: string }): Row {
  return {
    ...customer,
    approvalId: newId('approval'),
    holdId: ids.hold,
    reason: 'false_alarm',
    status: 'pending',
    stateHash: bytes('state'),
    preparedBy: ids.staff,
    preparedEmployee: 'E-1',
    preparedAt: past,
    expiresAt: future,
  };
}

function recoveryCeremonyRow(customer: Row, ceremonyId: string): Row {
  return {
    ...customer,
    ceremonyId,
    kind: 'recovery',
    state: 'contact',
    epoch: 1,
    policyVersion: 1,
    locale: 'en',
    deadline: future,
    createdAt: past,
  };
}

function recoveryRow(customer: Row, recoveryId: string): Row {
  return {
    ...customer,
    recoveryId,
    openedByKind: 'customer',
    openedBy: 'contact',
    report: 'lost',
    risk: 'low',
    contactsRequired: 1,
    peopleRequired: 1,
    coolingSeconds: 3600,
    coolingFloorSeconds: 900,
  };
}

function recoveryRequestRow(tenantId: string): Row {
  return {
    tenantId,
    requestId: newId('recoveryRequest'),
    clientId: 'app',
    jkt: 'new key',
    contactKind: 'email',
    blindIndex: bytes('address'),
    locale: 'en',
    report: 'lost',
    status: 'sent',
    createdAt: past,
    expiresAt: future,
  };
}

function factorRow(customer: Row, recoveryId: string): Row {
  return {
    ...customer,
    recoveryId,
    factorId: newId('factor'),
    method: 'email_code',
    epoch: 1,
    evidenceId: 'request',
    recordedByKind: 'customer',
    recordedBy: 'contact',
    recordedAt: past,
  };
}

function decisionRow(tenantId: string, ids: { recovery: string; staff: string }): Row {
  return {
    tenantId,
    recoveryId: ids.recovery,
    decisionId: newId('decision'),
    kind: 'approve',
    revision: 1,
    reason: 'person_recognised',
    staffId: ids.staff,
    employee: 'E1',
    decidedAt: past,
  };
}
