/** The bank's signature under the receipt of a cut-off: the same keys and the same form as under the receipt of an approval, with a `typ` of its own. */
import { REVOCATION_RECEIPT_JWS_TYPE } from '../domain/receipt.ts';
import type {
  RevocationReceipt,
  RevocationSubject,
  SignedRevocationReceipt,
} from '../domain/revocation.ts';
import type { LastingSigner } from '../domain/ports.ts';
import type { Database } from './connection.ts';
import { signStatement } from './receipt-signing.ts';

export function createRevocationReceiptSigner({
  database,
  signer,
  issuerOf,
}: {
  readonly database: Pick<Database, 'tenant'>;
  readonly signer: LastingSigner;
  readonly issuerOf: (tenantId: string) => Promise<string>;
}) {
  return {
    /** @throws LatchkeyError vendor_unavailable */
    sign: async (
      { tenantId }: RevocationSubject,
      receipt: RevocationReceipt,
    ): Promise<SignedRevocationReceipt> => {
      const iss = await issuerOf(tenantId);
      const claims = {
        ...receipt,
        type: 'latchkey-revocation-receipt',
        version: 2,
        iss,
        tenant: tenantId,
      } as const;
      const { signature } = await signStatement(
        { database, signer },
        {
          tenantId,
          typ: REVOCATION_RECEIPT_JWS_TYPE,
          iss,
          sub: receipt.revocationId,
          claims: { ...claims, stopped: { ...claims.stopped } },
        },
      );
      return { ...claims, signature };
    },
  };
}
