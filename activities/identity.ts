/**
 * Asks the identity vendor to begin a check; the verdict comes by its signed webhook. The details are opened only here and go nowhere but to
 * the vendor: history sees ids alone.
 */
import type { EnrollmentStore } from '../db/enrollment-store.ts';
import type { EnrollmentSubject } from '../domain/enrollment.ts';
import type { IdentityVerifier } from '../domain/ports.ts';

export function createIdentityActivities(deps: {
  store: Pick<EnrollmentStore, 'identityQuestion' | 'recordVendorReference'>;
  verifier: IdentityVerifier;
  /** Where the vendor calls back for that tenant. */
  callbackUrl: (tenantId: string) => Promise<string>;
}) {
  const { store, verifier } = deps;
  return {
    /** Safe to repeat: the vendor knows the attempt's id as the reference. */
    startIdentityCheck: async ({ tenantId, enrollmentId }: EnrollmentSubject): Promise<void> => {
      const question = await store.identityQuestion({ tenantId, enrollmentId });
      if (question === undefined) return;
      const { attemptId, ...details } = question;
      const { vendorReference } = await verifier.startCheck({
        ...details,
        reference: attemptId,
        callbackUrl: await deps.callbackUrl(tenantId),
      });
      await store.recordVendorReference({ tenantId, attemptId, vendorReference });
    },
  };
}

export type IdentityActivities = ReturnType<typeof createIdentityActivities>;
