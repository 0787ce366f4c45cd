/** Exactly which members a receipt has and of what form each is: what is missing, added or of another form makes it no receipt. */
import { isRecord } from '../members.ts';
import { fromBase64url } from './bytes.ts';

/** Answers the path of the first member that is wrong. */
type Shape = (value: unknown, path: string) => string | undefined;

const when =
  (isRight: (value: unknown) => boolean): Shape =>
  (value, path) =>
    isRight(value) ? undefined : path;

const text = (max: number): Shape =>
  when((value) => typeof value === 'string' && value.length > 0 && value.length <= max);
const oneOf = (...values: readonly unknown[]): Shape => when((value) => values.includes(value));
const bytes = (min: number, max: number): Shape =>
  when((value) => {
    const decoded = typeof value === 'string' ? fromBase64url(value) : undefined;
    return decoded !== undefined && decoded.length >= min && decoded.length <= max;
  });
const count: Shape = when((value) => Number.isSafeInteger(value) && Number(value) >= 0);
const flag: Shape = when((value) => typeof value === 'boolean');
const time: Shape = when(isTime);
const any: Shape = () => undefined;
const nullable =
  (shape: Shape): Shape =>
  (value, path) =>
    value === null ? undefined : shape(value, path);

function members(shapes: Readonly<Record<string, Shape>>): Shape {
  return (value, path) => {
    if (!isRecord(value)) return path;
    const added = Object.keys(value).find((name) => !Object.hasOwn(shapes, name));
    if (added !== undefined) return below(path, added);
    for (const [name, shape] of Object.entries(shapes)) {
      if (!Object.hasOwn(value, name)) return below(path, name);
      const wrong = shape(value[name], below(path, name));
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  };
}

function each(shape: Shape, max: number): Shape {
  return (value, path) => {
    if (!isRecord(value) || Object.keys(value).length > max) return path;
    for (const [name, member] of Object.entries(value)) {
      const wrong = shape(member, below(path, name));
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  };
}

function list(shape: Shape, max: number): Shape {
  return (value, path) => {
    if (!Array.isArray(value) || value.length > max) return path;
    for (const [index, member] of value.entries()) {
      const wrong = shape(member, `${path}[${String(index)}]`);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  };
}

const ID = text(200);
const DIGEST = bytes(32, 32);
const JWK = members({
  kty: oneOf('EC'),
  crv: oneOf('P-256'),
  x: bytes(32, 32),
  y: bytes(32, 32),
});
const MAX_PIECES = 64;

/** Everything but `disclosures` and `signature` is signed by the bank. */
export const RECEIPT: Shape = members({
  type: oneOf('latchkey-receipt'),
  version: oneOf(1),
  receiptId: ID,
  iss: text(500),
  tenant: ID,
  stepUpId: ID,
  requester: members({ kind: oneOf('client', 'staff', 'login'), id: ID, name: text(500) }),
  customer: ID,
  actionType: text(100),
  status: oneOf('approved'),
  acr: oneOf('latchkey:3', 'latchkey:4'),
  policy: text(100),
  epoch: count,
  risk: text(100),
  context: members({ onCall: flag, screenShared: flag, accessibilityService: flag }),
  delaySeconds: count,
  times: members({
    requestedAt: time,
    approveBy: time,
    provedAt: time,
    approvedAt: time,
    consumableAt: time,
    consumeBy: time,
    sealedAt: time,
  }),
  challenge: DIGEST,
  passkey: members({
    credentialId: ID,
    webauthnId: bytes(1, 1023),
    publicKey: bytes(1, 2000),
    aaguid: text(100),
    attestationFormat: text(100),
    rpId: text(253),
    origin: text(500),
    clientDataJSON: bytes(1, 8000),
    authenticatorData: bytes(37, 8000),
    signature: bytes(1, 1000),
    userVerified: flag,
    backupEligible: flag,
    backedUp: flag,
    signCount: count,
  }),
  approvalKey: members({ jwk: JWK, jws: text(4000) }),
  device: members({
    deviceId: ID,
    platform: text(100),
    attestationLevel: text(100),
    addedAt: time,
    trustedAt: nullable(time),
  }),
  secondFactor: nullable(members({ method: oneOf('sms_otp'), attemptId: ID, provedAt: time })),
  audit: members({ keys: ID, code: nullable(ID) }),
  digests: each(DIGEST, MAX_PIECES),
  disclosures: each(members({ salt: bytes(16, 64), value: any }), MAX_PIECES),
  signature: text(4000),
});

export const REVOCATION_RECEIPT: Shape = members({
  type: oneOf('latchkey-revocation-receipt'),
  version: oneOf(2),
  iss: text(500),
  tenant: ID,
  revocationId: ID,
  customerId: ID,
  reason: text(200),
  requestedBy: text(500),
  oldEpoch: count,
  newEpoch: count,
  effectiveAt: time,
  rowsEndedAt: time,
  secondListingEmptyAt: time,
  lastTokenDiesAt: time,
  stopped: members({ devices: count, credentials: count, sessions: count, ceremonies: count }),
  signature: text(4000),
});

const BY = members({ kind: oneOf('customer', 'vendor', 'staff'), id: ID });
const MAX_ENTRIES = 1_000;

export const RECOVERY_RECORD: Shape = members({
  type: oneOf('latchkey-recovery-record'),
  version: oneOf(1),
  iss: text(500),
  tenant: ID,
  recoveryId: ID,
  customer: ID,
  policy: text(100),
  epoch: count,
  report: text(100),
  reportedDevice: nullable(ID),
  openedBy: BY,
  risk: text(100),
  required: members({
    identityStrength: count,
    contacts: count,
    people: count,
    coolingSeconds: count,
  }),
  revision: count,
  state: text(100),
  outcome: nullable(text(100)),
  reason: nullable(text(100)),
  newDevice: nullable(ID),
  times: members({
    openedAt: time,
    coolingFrom: nullable(time),
    endedAt: nullable(time),
    keptUntil: nullable(time),
    sealedAt: time,
  }),
  evidence: list(
    members({
      factorId: ID,
      method: text(100),
      kind: text(100),
      channel: text(100),
      strength: count,
      evidenceId: ID,
      epoch: count,
      isOnReportedHandset: flag,
      recordedBy: BY,
      employee: nullable(ID),
      recordedAt: time,
      confirmedBy: nullable(ID),
      isVoid: flag,
    }),
    MAX_ENTRIES,
  ),
  decisions: list(
    members({
      decisionId: ID,
      kind: text(100),
      revision: count,
      reason: text(200),
      staff: ID,
      employee: ID,
      decidedAt: time,
      voidedAt: nullable(time),
    }),
    MAX_ENTRIES,
  ),
  signature: text(4000),
});

/** A tenant's list may grow members; what is used of it must be right. */
export const KEY_LIST: Shape = (value) => {
  if (!isRecord(value) || typeof value['issuer'] !== 'string') return 'issuer';
  const { keys } = value;
  if (!Array.isArray(keys) || keys.length > 10_000) return 'keys';
  const entry = members({ ...ENTRY });
  for (const [index, key] of keys.entries()) {
    const known = isRecord(key)
      ? Object.fromEntries(Object.entries(key).filter(([name]) => Object.hasOwn(ENTRY, name)))
      : key;
    const wrong = entry(known, `keys[${String(index)}]`);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
};

const ENTRY: Readonly<Record<string, Shape>> = {
  kty: oneOf('EC'),
  crv: oneOf('P-256'),
  x: bytes(32, 32),
  y: bytes(32, 32),
  kid: DIGEST,
  validFrom: time,
  validUntil: nullable(time),
};

function isTime(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  const milliseconds = Date.parse(value);
  return !Number.isNaN(milliseconds) && new Date(milliseconds).toISOString() === value;
}

function below(path: string, name: string): string {
  return path === '' ? name : `${path}.${name.slice(0, 60)}`;
}
