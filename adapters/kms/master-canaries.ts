/**
 * The canaries of the embedded key management: each master key opens what it wrapped, and the key that contacts are found by is still the last
 * of the list, where only its place says what it is for.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { KeyCanary } from '../../domain/key-canary.ts';
import { createEmbeddedKms } from './embedded.ts';
import type { MasterKey } from './embedded.ts';

const CONTEXT = 'latchkey/key-canary/1/';

export function masterCanaries(keys: readonly MasterKey[]): readonly KeyCanary[] {
  const wrapping = keys.map((key): KeyCanary => {
    const kms = createEmbeddedKms([key]);
    return {
      purpose: 'master',
      kid: key.kid,
      seal: async (subject) =>
        (await kms.wrap(Buffer.from(subject), `${CONTEXT}${subject}`)).sealed,
      opens: async (subject, sealed) => {
        try {
          const plain = await kms.unwrap(key.kid, sealed, `${CONTEXT}${subject}`);
          return Buffer.from(plain).toString('utf8') === subject;
        } catch {
          return false;
        }
      },
    };
  });
  return [...wrapping, indexCanary(keys)];
}

function indexCanary(keys: readonly MasterKey[]): KeyCanary {
  const { kekId, key } = createEmbeddedKms(keys).secret('blind-index');
  const mark = (subject: string) =>
    createHmac('sha256', key).update(`${CONTEXT}${subject}`).digest();
  return {
    purpose: 'index',
    kid: kekId,
    seal: (subject) => Promise.resolve(mark(subject)),
    opens: (subject, sealed) => {
      const expected = mark(subject);
      return Promise.resolve(
        sealed.length === expected.length && timingSafeEqual(expected, sealed),
      );
    },
  };
}
