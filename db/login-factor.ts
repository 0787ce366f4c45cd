/**
 * A login that needs more than its passkey, as a step-up: asked for in the transaction that spends the passkey's answer, and used in the one
 * that begins the session. Both are final grants (SECURITY.md section 1). docs/decisions/0026 says why the key is the requester.
 */
import type { Amr } from '../domain/auth-strength.ts';
import { LatchkeyError } from '../domain/errors.ts';
import type { Risk } from '../domain/ports.ts';
import type { StepUpRequester } from '../domain/step-up.ts';
import type { Tx } from './connection.ts';
import { shareCustomer } from './customer-lock.ts';
import { deviceOfKey } from './devices.ts';
import { strengthOf, type VerifiedLogin } from './login.ts';
import { activePolicy } from './policies.ts';
import { countedSessions, endForLogin, oneLoginAtATime } from './session-caps.ts';
import { insertSession, type SessionRecord } from './sessions.ts';
import { consumeStepUp } from './step-up-consume.ts';
import { createStepUp } from './step-up-create.ts';
import { openRequest } from './step-up-sealed.ts';
import { stepUpOfRequester, type StepUpRecord, type StepUpTools } from './step-up.ts';

/** One login of a key is waited for at a time; the next takes its place. */
const REFERENCE = 'log_in';

/** Each key is a requester of its own: nobody who has the passkey too can keep the customer's own phone waiting. */
export function loginRequester(jkt: string): StepUpRequester {
  return { kind: 'login', id: jkt };
}

/** In the transaction of grantLogin(). @throws LatchkeyError as createStepUp does */
export async function askForFactor(
  tx: Tx,
  tools: StepUpTools,
  {
    login,
    stepUpId,
    appName,
    risk,
  }: {
    readonly login: VerifiedLogin;
    readonly stepUpId: string;
    readonly appName: string;
    readonly risk: Risk;
  },
): Promise<StepUpRecord> {
  const { tenantId, customerId, credentialId, clientId, jkt } = login;
  const { stepUp } = await createStepUp(tx, tools, {
    tenantId,
    stepUpId,
    requester: loginRequester(jkt),
    requesterName: appName,
    customerId,
    credentialId,
    clientId,
    jkt,
    action: { type: 'log_in', app: appName },
    reference: REFERENCE,
    atLeast: 'latchkey:4',
    risk,
  });
  if (stepUp === undefined) throw new TypeError('a login that needs more is asked for it');
  return stepUp;
}

/** What the API makes for the session that begins. */
export interface FinishedLogin extends Pick<
  VerifiedLogin,
  'tenantId' | 'jkt' | 'sessionId' | 'salt' | 'keyId' | 'firstHash' | 'sealPlace'
> {
  readonly stepUpId: string;
}

/**
 * Uses the approval and begins the session, in one transaction, with every rule of a login's grant but the passkey's, which was spent before.
 * @throws LatchkeyError as consumeStepUp does, device_not_allowed, session_limit_reached.
 */
export async function finishLogin(
  tx: Tx,
  tools: Pick<StepUpTools, 'personalData'>,
  login: FinishedLogin,
  settle: (tx: Tx) => Promise<void>,
): Promise<SessionRecord> {
  const { tenantId, stepUpId, jkt } = login;
  const requester = loginRequester(jkt);
  const asked = await stepUpOfRequester(tx, { tenantId, stepUpId, requester });
  if (asked === undefined) throw new LatchkeyError('step_up_not_found');
  const { customerId, clientId, credentialId, epoch } = asked;
  if (clientId === null || credentialId === null) throw new TypeError('a login has both');
  await shareCustomer(tx, tenantId, customerId);
  // Before the ceremony's lock, as in grantLogin().
  await oneLoginAtATime(tx, tenantId, customerId);
  const { action } = await openRequest(tx, tools, asked);
  const { isRepeat, stepUp } = await consumeStepUp(tx, tools, {
    tenantId,
    stepUpId,
    requester,
    action,
  });
  // Its session began then; its tokens are answered again under that request's own key alone.
  if (isRepeat) throw new LatchkeyError('step_up_ended', { extra: { state: stepUp.state } });
  const { version, document } = await activePolicy(tx, tenantId);
  const device = await deviceOfKey(tx, tenantId, jkt);
  const strength = strengthOf(device, customerId);
  const counted = await countedSessions(tx, tenantId, customerId);
  const newcomer = { tenantId, customerId, epoch, jkt, hasDevice: device !== undefined };
  await endForLogin(tx, newcomer, { counted, policy: document.session });
  const amr: readonly Amr[] = [...strength.amr, 'sms'];
  const session = await insertSession(tx, {
    ...login,
    ...strength,
    amr,
    customerId,
    clientId,
    credentialId,
    // The code does not make the passkey younger: a freeze that came between was not its owner's to end by this login.
    authTimeMs: asked.createdAtMs,
    sealedPlace: await login.sealPlace?.(tx),
    deviceId: device?.deviceId,
    epoch,
    risk: stepUp.risk ?? 'not_evaluated',
    policyVersion: version,
    idleSeconds: document.session.idleSeconds,
    absoluteSeconds: document.session.absoluteSeconds,
  });
  await settle(tx);
  return session;
}
