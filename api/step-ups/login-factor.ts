/**
 * A login that needs more than its passkey: the risk engine asked in a short time, and the refusal that sends the app on. Plain logins ask
 * nothing of Temporal, and nothing of the engine where there is none.
 */
import { deviceOfKey } from '../../db/devices.ts';
import { stepUpCodeSentTo } from '../../db/step-up-codes.ts';
import { readStepUp, type StepUpRecord } from '../../db/step-up.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import type { Risk } from '../../domain/ports.ts';
import type { AppDependencies } from '../dependencies.ts';
import { maskPhone } from '../enrollment/contacts.ts';
import { isoTime } from '../iso-time.ts';
import { startStepUp } from './start.ts';

/** An engine that does not answer has no opinion: `not_evaluated`. */
export async function riskOfLogin(
  { database, riskEngine, logger }: Pick<AppDependencies, 'database' | 'riskEngine' | 'logger'>,
  {
    tenantId,
    customerId,
    jkt,
  }: { readonly tenantId: string; readonly customerId: string; readonly jkt: string },
): Promise<Risk> {
  if (riskEngine === undefined) return 'not_evaluated';
  try {
    const device = await database.tenant(tenantId, (tx) => deviceOfKey(tx, tenantId, jkt));
    const deviceId = device?.customerId === customerId ? device.deviceId : undefined;
    return await riskEngine.evaluate({ customerId, action: 'log_in', deviceId });
  } catch (error) {
    const isSilent =
      error instanceof LatchkeyError &&
      (error.code === 'vendor_unavailable' || error.code === 'vendor_refused');
    if (!isSilent) throw error;
    logger.warn({ code: error.code }, 'the risk engine did not answer about a login');
    return 'not_evaluated';
  }
}

/**
 * Starts the workflow, which sends the code, and says where it goes; a repeat says the same.
 * @throws LatchkeyError temporal_unavailable
 */
export async function askForLoginFactor(
  deps: Pick<AppDependencies, 'database' | 'personalData' | 'temporal'>,
  stepUp: StepUpRecord,
): Promise<LatchkeyError> {
  const { tenantId, stepUpId, approveByMs } = stepUp;
  await startStepUp(deps, stepUp);
  const sentTo = await deps.database.tenant(tenantId, (tx) => stepUpCodeSentTo(tx, deps, stepUp));
  return new LatchkeyError('login_needs_approval', {
    extra: {
      stepUpId,
      approveBy: isoTime(approveByMs),
      ...(sentTo === undefined ? {} : { sentTo: maskPhone(sentTo) }),
    },
  });
}

/** For the repeat of a login whose reference it is. @throws LatchkeyError session_ended when it is none */
export async function loginFactorOf(
  { database }: Pick<AppDependencies, 'database'>,
  { tenantId, stepUpId, jkt }: Pick<StepUpRecord, 'tenantId' | 'stepUpId'> & { jkt: string },
): Promise<StepUpRecord> {
  const stepUp = await database.tenant(tenantId, (tx) => readStepUp(tx, { tenantId, stepUpId }));
  if (stepUp?.isLogin !== true || stepUp.jkt !== jkt) throw new LatchkeyError('session_ended');
  return stepUp;
}
