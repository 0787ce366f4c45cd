/**
 * The final grant of a login: one transaction that reads the customer's row under a lock before anything else, spends the challenge, judges
 * device and credential, and begins the session under the epoch it read. A refusal is thrown, so that nothing of it stays.
 */
import { loginStrength, type LoginStrength } from '../domain/auth-strength.ts';
import { LatchkeyError } from '../domain/errors.ts';
import { needsFactor } from '../domain/login-factor.ts';
import type { Risk } from '../domain/ports.ts';
import { appendAudit } from './audit.ts';
import { spendChallenge } from './challenges.ts';
import type { Tx } from './connection.ts';
import { useCredential } from './credentials.ts';
import { hasActiveHold, shareCustomer, type LockedCustomer } from './customer-lock.ts';
import { deviceOfKey, type Device } from './devices.ts';
import { frozenSinceMs } from './freeze.ts';
import { activePolicy } from './policies.ts';
import { countedSessions, endForLogin, oneLoginAtATime } from './session-caps.ts';
import { insertSession, type SessionRecord } from './sessions.ts';
import type { StepUpRecord } from './step-up.ts';
import { resultOf, together } from './together.ts';

/** What the API has verified: signature, origin, relying party, user verification, and the challenge's MAC. */
export interface VerifiedLogin {
  readonly tenantId: string;
  readonly customerId: string;
  readonly credentialId: string;
  readonly clientId: string;
  readonly jkt: string;
  readonly signCount: number;
  readonly isBackedUp: boolean;
  /** What the engine said of it. */
  readonly risk: Risk;
  readonly challenge: {
    readonly hash: Uint8Array;
    readonly issuedAtMs: number;
    readonly expiresAtMs: number;
  };
  /** Made by the caller: the id, its salt, and what the first token is at rest. */
  readonly sessionId: string;
  readonly salt: Uint8Array;
  readonly keyId: string;
  readonly firstHash: Uint8Array;
  /** Where it came from, if that is known. */
  readonly sealPlace?: (tx: Tx) => Promise<Uint8Array>;
}

/** The session, or what its customer must prove first. */
export type GrantedLogin =
  | { readonly session: SessionRecord; readonly stepUp?: undefined }
  | { readonly stepUp: StepUpRecord; readonly session?: undefined };

/**
 * `settle` keeps the outcome, the id of session or step-up, and goes out with the last statement; `askForFactor` begins the step-up of a login
 * that needs more: in this transaction, so that the passkey's answer is spent on it.
 * @throws LatchkeyError customer_on_hold, credential_unknown, challenge_invalid, challenge_spent, device_not_allowed, session_limit_reached.
 */
export async function grantLogin(
  tx: Tx,
  login: VerifiedLogin,
  {
    settle,
    askForFactor,
  }: {
    readonly settle?: (tx: Tx, reference: string) => Promise<void>;
    readonly askForFactor?: (tx: Tx, risk: Risk) => Promise<StepUpRecord>;
  } = {},
): Promise<GrantedLogin> {
  const { tenantId, customerId, jkt } = login;
  const customer = await shareCustomer(tx, tenantId, customerId);
  // From here on the epoch stands still: every later statement sees what came with it. They go out together, in this order, and are judged
  // in this order: one wait for all of them, not one for each.
  const [held, policy, spent, alone, counting, found, used] = await Promise.allSettled([
    hasActiveHold(tx, tenantId, customerId),
    activePolicy(tx, tenantId),
    spendChallenge(tx, login.challenge.hash, login.challenge.expiresAtMs),
    oneLoginAtATime(tx, tenantId, customerId),
    countedSessions(tx, tenantId, customerId),
    deviceOfKey(tx, tenantId, jkt),
    useCredential(tx, login),
  ]);
  if (resultOf(held)) throw new LatchkeyError('customer_on_hold');
  if (customer?.status !== 'active') throw new LatchkeyError('credential_unknown');
  const { version, document } = resultOf(policy);
  refuseOldChallenge(customer, login.challenge.issuedAtMs, document.dpop.skewSeconds);
  if (!resultOf(spent)) throw new LatchkeyError('challenge_spent');
  resultOf(alone);
  const counted = resultOf(counting);
  const device = resultOf(found);
  const strength = strengthOf(device, customerId);
  const risk = await riskOf(tx, login, resultOf(used));
  // The engine's word alone: a counter that moved back may be an answer that was overtaken on its way.
  if (askForFactor !== undefined && needsFactor(login.risk, document.login)) {
    if (customer.isFrozen) await refuseFromBeforeFreeze(tx, login);
    const stepUp = await askForFactor(tx, login.risk);
    await settle?.(tx, stepUp.stepUpId);
    return { stepUp };
  }
  const { epoch } = customer;
  const hasDevice = device !== undefined;
  const newcomer = { tenantId, customerId, epoch, jkt, hasDevice };
  await endForLogin(tx, newcomer, { counted, policy: document.session });
  const sealedPlace = await login.sealPlace?.(tx);
  // Nobody knows when the passkey answered, only when it was asked: an answer from before the freeze that comes late must not end it.
  const authTimeMs = customer.isFrozen ? login.challenge.issuedAtMs : undefined;
  const inserting = insertSession(tx, {
    ...login,
    ...strength,
    authTimeMs,
    sealedPlace,
    deviceId: device?.deviceId,
    epoch,
    risk,
    policyVersion: version,
    idleSeconds: document.session.idleSeconds,
    absoluteSeconds: document.session.absoluteSeconds,
  });
  const settling = settle?.(tx, login.sessionId) ?? Promise.resolve();
  const [session] = await together([inserting, settling]);
  return { session };
}

/** A challenge from before the cut-off may have been taken by the thief; the skew is that of our own clocks. */
function refuseOldChallenge(
  { epochRaisedAtMs }: LockedCustomer,
  issuedAtMs: number,
  skewSeconds: number,
): void {
  if (epochRaisedAtMs !== undefined && issuedAtMs <= epochRaisedAtMs + skewSeconds * 1000)
    throw new LatchkeyError('challenge_invalid');
}

/**
 * What is asked for more becomes a session as old as its step-up, later than the challenge: held back over a freeze it would lift it. The app asks for
 * a challenge anew, which the passkey has to answer now.
 */
async function refuseFromBeforeFreeze(tx: Tx, login: VerifiedLogin): Promise<void> {
  const sinceMs = await frozenSinceMs(tx, login);
  if (sinceMs !== undefined && login.challenge.issuedAtMs <= sinceMs)
    throw new LatchkeyError('challenge_invalid');
}

export function strengthOf(device: Device | undefined, customerId: string): LoginStrength {
  if (device !== undefined && device.customerId !== customerId)
    throw new LatchkeyError('device_not_allowed');
  const strength = loginStrength(device);
  if (strength === undefined) throw new LatchkeyError('device_not_allowed');
  return strength;
}

async function riskOf(
  tx: Tx,
  login: VerifiedLogin,
  use: Awaited<ReturnType<typeof useCredential>>,
): Promise<Risk> {
  const { tenantId, customerId, credentialId } = login;
  if (use === 'inactive') throw new LatchkeyError('credential_unknown');
  if (use === 'used') return login.risk;
  await appendAudit(tx, {
    tenantId,
    actor: { kind: 'customer', id: customerId },
    action: 'credential.counter_regressed',
    subject: { kind: 'credential', id: credentialId },
    customerId,
    detail: { shown: login.signCount },
  });
  return 'high';
}
