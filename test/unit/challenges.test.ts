/** Challenges open for exactly the context they were issued for, byte for byte. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createEmbeddedKms } from '../../adapters/kms/embedded.ts';
import { issueChallenge, openChallenge } from '../../api/proofs/challenges.ts';
import type { ChallengeContext } from '../../api/proofs/challenges.ts';

const clock = { nowMs: () => 1_790_000_000_000 };
const oldKey = { kid: 'k1', key: new Uint8Array(32).fill(1) };
const newKey = { kid: 'k2', key: new Uint8Array(32).fill(2) };
const kms = createEmbeddedKms([oldKey]);
const context: ChallengeContext = {
  purpose: 'login',
  tenantId: 'ten_a',
  rpId: 'bank.example',
  clientId: 'app',
  jkt: 'thumbprint',
};

describe('a challenge', () => {
  test('opens for the context it was issued for and tells its times', () => {
    const opened = openChallenge(kms, context, issueChallenge({ kms, clock }, context, 300));
    expect(opened.issuedAtMs).toBe(clock.nowMs());
    expect(opened.expiresAtMs).toBe(clock.nowMs() + 300_000);
    expect(opened.hash).toHaveLength(32);
  });

  test('is another one each time', () => {
    const [one, other] = [0, 1].map(() => issueChallenge({ kms, clock }, context, 300));
    expect(one).not.toBe(other);
  });

  test.each([
    ['purpose', { purpose: 'passkey_registration' }],
    ['tenant', { tenantId: 'ten_b' }],
    ['relying party', { rpId: 'evil.example' }],
    ['client', { clientId: 'other' }],
    ['key', { jkt: 'stolen' }],
    ['ceremony', { ceremonyId: 'cer_a' }],
    ['customer', { customerId: 'cus_a' }],
  ] as const)('does not open for another %s', (_name, change) => {
    const challenge = issueChallenge({ kms, clock }, context, 300);
    expect(() => openChallenge(kms, { ...context, ...change }, challenge)).toThrow(
      'challenge_invalid',
    );
  });

  test('keeps ceremony and customer apart', () => {
    const challenge = issueChallenge({ kms, clock }, { ...context, ceremonyId: 'x' }, 300);
    expect(() => openChallenge(kms, { ...context, customerId: 'x' }, challenge)).toThrow(
      'challenge_invalid',
    );
  });

  test('outlives the rotation of its key, and dies with it', () => {
    const challenge = issueChallenge({ kms, clock }, context, 300);
    expect(() =>
      openChallenge(createEmbeddedKms([newKey, oldKey]), context, challenge),
    ).not.toThrow();
    expect(() => openChallenge(createEmbeddedKms([newKey]), context, challenge)).toThrow(
      'challenge_invalid',
    );
  });

  test('does not survive one changed bit anywhere', () => {
    const bytes = Buffer.from(issueChallenge({ kms, clock }, context, 300), 'base64url');
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(7), (index, bit) => {
        const changed = Buffer.from(bytes);
        changed[index] = (changed[index] ?? 0) ^ (1 << bit);
        expect(() => openChallenge(kms, context, changed.toString('base64url'))).toThrow(
          'challenge_invalid',
        );
      }),
      { numRuns: 300 },
    );
  });

  test('is refused in any other spelling, and so is noise', () => {
    const challenge = issueChallenge({ kms, clock }, context, 300);
    for (const spelling of [`${challenge}=`, `${challenge}\n`, ` ${challenge}`, '', 'AQ']) {
      expect(() => openChallenge(kms, context, spelling)).toThrow('challenge_invalid');
    }
    fc.assert(
      fc.property(fc.string(), (noise) => {
        expect(() => openChallenge(kms, context, noise)).toThrow('challenge_invalid');
      }),
      { numRuns: 200 },
    );
  });
});
