/**
 * What this API hands out to have it brought back: sealed under the KMS key for one purpose and one tenant, so that nobody reads it, makes it
 * or brings it elsewhere. Time and single use are for whoever opens it.
 */
import { LatchkeyError } from '../../domain/errors.ts';
import type { KeyManagement } from '../../domain/ports.ts';

export interface Seal<Content> {
  close(tenantId: string, content: Content): Promise<string>;
  /** undefined for what was not closed here, for this tenant. */
  open(tenantId: string, sealed: string): Promise<Content | undefined>;
}

export function createSeal<Content>(kms: KeyManagement, purpose: string): Seal<Content> {
  const contextOf = (tenantId: string) => `${purpose}/1/${tenantId}`;
  return {
    close: async (tenantId, content) => {
      const plain = Buffer.from(JSON.stringify(content));
      const { kekId, sealed } = await kms.wrap(plain, contextOf(tenantId));
      return [Buffer.from(kekId), sealed]
        .map((part) => Buffer.from(part).toString('base64url'))
        .join('.');
    },
    open: async (tenantId, text) => {
      const [kekId = '', sealed = '', ...others] = text.split('.');
      if (others.length > 0) return undefined;
      try {
        const plain = await kms.unwrap(
          Buffer.from(kekId, 'base64url').toString(),
          Buffer.from(sealed, 'base64url'),
          contextOf(tenantId),
        );
        // Only close() seals for this purpose.
        return JSON.parse(Buffer.from(plain).toString()) as Content;
      } catch (error) {
        if (error instanceof LatchkeyError) return undefined;
        throw error;
      }
    },
  };
}
