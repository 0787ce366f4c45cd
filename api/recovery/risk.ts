/** What the risk engine thinks of a recovery, asked only once a contact has answered: before that its silence or its time would tell who is a customer. */
import type { Tx } from '../../db/connection.ts';
import { requestOwner } from '../../db/recovery-requests.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import type { Risk } from '../../domain/ports.ts';
import type { AppDependencies } from '../dependencies.ts';

/** An engine that does not answer has no opinion: `not_evaluated`, which policy treats as medium. */
export async function riskOfRecovery(
  { database, riskEngine, logger }: Pick<AppDependencies, 'database' | 'riskEngine' | 'logger'>,
  subject: { readonly tenantId: string; readonly requestId: string },
  isRight: (tx: Tx) => Promise<boolean>,
): Promise<Risk> {
  if (riskEngine === undefined) return 'not_evaluated';
  const customerId = await database.tenant(subject.tenantId, async (tx) =>
    (await isRight(tx)) ? await requestOwner(tx, subject) : undefined,
  );
  if (customerId === undefined) return 'not_evaluated';
  try {
    return await riskEngine.evaluate({ customerId, action: 'recover', deviceId: undefined });
  } catch (error) {
    const isSilent =
      error instanceof LatchkeyError &&
      (error.code === 'vendor_unavailable' || error.code === 'vendor_refused');
    if (!isSilent) throw error;
    logger.warn({ code: error.code }, 'the risk engine did not answer about a recovery');
    return 'not_evaluated';
  }
}
