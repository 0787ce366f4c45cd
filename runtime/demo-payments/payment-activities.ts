/** What the demo bank's payment workflow does outside: sign the request with the bank's own key, and use an approval through Latchkey's API. */
import { randomUUID } from 'node:crypto';
import { importJWK, SignJWT } from 'jose';
import type { StepUpOrder } from '../../temporal/nexus-service.ts';
import { REQUESTER_JWS_TYPE, requestDigest } from '../../api/proofs/requester-jws.ts';
import type { DemoPrivateKey } from '../demo-secrets.ts';
import type { Requester } from '../demo-requester.ts';

export interface PaymentActivityOptions {
  readonly clientId: string;
  readonly issuer: string;
  readonly key: DemoPrivateKey;
  readonly nowMs: () => number;
  readonly requester: Pick<Requester, 'consume'>;
}

export function createPaymentActivities(options: PaymentActivityOptions) {
  return {
    signRequest: (request: StepUpOrder): Promise<string> => signRequest(options, request),

    /** The same key at every try: it is used once. */
    useApproval: async ({
      stepUpId,
      action,
    }: {
      readonly stepUpId: string;
      readonly action: StepUpOrder['action'];
    }): Promise<{ readonly isUsed: boolean; readonly because: string }> => {
      const { status, body } = await options.requester.consume(stepUpId, action, `use-${stepUpId}`);
      if (status >= 500) throw new Error(`Latchkey answers ${String(status)}`);
      const { code } = body;
      return { isUsed: status === 200, because: typeof code === 'string' ? code : 'approved' };
    },
  };
}

export type PaymentActivities = ReturnType<typeof createPaymentActivities>;

/** Good for one step-up, for four minutes. `jti` names it: the same again asks for the same. */
export async function signRequest(
  { clientId, issuer, key, nowMs }: Omit<PaymentActivityOptions, 'requester'>,
  request: unknown,
  jti: string = randomUUID(),
): Promise<string> {
  const nowSeconds = Math.floor(nowMs() / 1000);
  return await new SignJWT({ request: requestDigest(request) })
    .setProtectedHeader({ alg: 'ES256', typ: REQUESTER_JWS_TYPE, kid: key.kid })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(`${issuer}/step-ups`)
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + 240)
    .setJti(jti)
    .sign(await importJWK({ ...key }, 'ES256'));
}
