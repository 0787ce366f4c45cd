import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEmbeddedKms } from '../../adapters/kms/embedded.ts';
import { createOtpCodes } from '../../adapters/kms/otp-codes.ts';
import { embeddedRiskEngine } from '../../adapters/risk/embedded.ts';
import { createSignatureVerifier, signBody } from '../../adapters/signed-http.ts';
import { signBody as vendorSignBody } from '../../runtime/vendor-signature.ts';

const keyOf = (kid: string, byte: number) => ({ kid, key: new Uint8Array(32).fill(byte) });

describe('the signature of a signed call', () => {
  const secret = 'a secret of the test';
  const madeAtMs = 1_700_000_000_000;
  const verifierAt = (nowMs: number) =>
    createSignatureVerifier({ secret, clock: { nowMs: () => nowMs } });

  it('verifies for every body, and is what the supplier computes by itself', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (body) => {
        const header = signBody(secret, body, madeAtMs);
        expect(verifierAt(madeAtMs).isSigned(header, body)).toBe(true);
        expect(vendorSignBody({ secret, body }, madeAtMs)).toBe(header);
      }),
    );
  });

  it.each([
    [-300_001, false],
    [-300_000, true],
    [300_000, true],
    [300_001, false],
  ])('made %i ms from now is accepted: %s', (offsetMs, accepted) => {
    expect(verifierAt(madeAtMs + offsetMs).isSigned(signBody(secret, '{}', madeAtMs), '{}')).toBe(
      accepted,
    );
  });

  it('refuses another body, another secret, another time and every malformed header', () => {
    const header = signBody(secret, '{}', madeAtMs);
    const verifier = verifierAt(madeAtMs);
    expect(verifier.isSigned(header, '{ }')).toBe(false);
    expect(verifier.isSigned(signBody('other', '{}', madeAtMs), '{}')).toBe(false);
    expect(verifier.isSigned(header.replace('t=17', 't=18'), '{}')).toBe(false);
    const malformed = [
      undefined,
      '',
      'v1=00',
      header.toUpperCase(),
      `${header},v1=00`,
      ` ${header}`,
      header.slice(0, -1),
    ];
    for (const wrong of malformed) expect(verifier.isSigned(wrong, '{}')).toBe(false);
  });
});

describe('the embedded key management', () => {
  const kms = createEmbeddedKms([keyOf('b', 2), keyOf('a', 1)]);

  it('opens what it sealed, under the key and context it was sealed for alone', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), fc.string(), async (plain, context) => {
        const { kekId, sealed } = await kms.wrap(plain, context);
        expect(kekId).toBe('b');
        expect(new Uint8Array(await kms.unwrap(kekId, sealed, context))).toStrictEqual(plain);
        await expect(kms.unwrap(kekId, sealed, `${context}x`)).rejects.toMatchObject({
          code: 'internal_error',
        });
        await expect(kms.unwrap('a', sealed, context)).rejects.toMatchObject({
          code: 'internal_error',
        });
        await expect(kms.unwrap('c', sealed, context)).rejects.toMatchObject({
          code: 'internal_error',
        });
      }),
      { numRuns: 30 },
    );
  });

  it('still opens what an older key sealed', async () => {
    const old = createEmbeddedKms([keyOf('a', 1)]);
    const { kekId, sealed } = await old.wrap(Uint8Array.of(1, 2, 3), 'here');
    await expect(kms.unwrap(kekId, sealed, 'here')).resolves.toEqual(Buffer.of(1, 2, 3));
  });

  it('refuses a value that was changed anywhere', async () => {
    const { kekId, sealed } = await kms.wrap(Uint8Array.of(1, 2, 3), 'here');
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = Uint8Array.from(sealed);
      changed[index] = (changed[index] ?? 0) ^ 1;
      await expect(kms.unwrap(kekId, changed, 'here')).rejects.toMatchObject({
        code: 'internal_error',
      });
    }
    await expect(kms.unwrap(kekId, new Uint8Array(3), 'here')).rejects.toMatchObject({
      code: 'internal_error',
    });
  });

  it('makes a different secret for each label and key, none of them a master key', () => {
    const labels = [
      'blind-index',
      'otp',
      'refresh-token',
      'dpop-nonce',
      'challenge',
      'update-id',
      'idempotency',
    ] as const;
    const secrets = labels.flatMap((label) => ['a', 'b'].map((kid) => kms.secret(label, kid).key));
    expect(new Set(secrets.map((key) => Buffer.from(key).toString('hex'))).size).toBe(
      labels.length * 2,
    );
    for (const key of secrets) {
      expect(key).toHaveLength(32);
      expect(new Set(key).size).toBeGreaterThan(1);
    }
  });

  it('keeps lasting secrets when a new first key arrives, and makes new ones of the rest', () => {
    const before = createEmbeddedKms([keyOf('a', 1)]);
    expect(kms.secret('blind-index')).toStrictEqual(before.secret('blind-index'));
    expect(kms.secret('otp')).toStrictEqual(before.secret('otp'));
    expect(kms.secret('refresh-token').kekId).toBe('b');
  });

  it('refuses to start without keys or with short ones', () => {
    expect(() => createEmbeddedKms([])).toThrow(TypeError);
    expect(() => createEmbeddedKms([{ kid: 'a', key: new Uint8Array(31) }])).toThrow(TypeError);
  });
});

describe('one-time codes', () => {
  const codes = createOtpCodes(createEmbeddedKms([keyOf('a', 1)]));

  it('have exactly as many digits as asked for, and are the same again for the same attempt', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.integer({ min: 6, max: 10 }), (attemptId, digits) => {
        const code = codes.codeFor(attemptId, digits);
        expect(code).toMatch(new RegExp(`^[0-9]{${String(digits)}}$`));
        expect(codes.codeFor(attemptId, digits)).toBe(code);
      }),
    );
  });

  it('differ under another key', () => {
    const other = createOtpCodes(createEmbeddedKms([keyOf('a', 2)]));
    expect(other.codeFor('att_1', 10)).not.toBe(codes.codeFor('att_1', 10));
  });

  it('spread evenly over the first digit, even when there are ten', () => {
    for (const digits of [6, 10]) {
      const counts = Array.from({ length: 10 }, () => 0);
      for (let attempt = 0; attempt < 5000; attempt += 1) {
        const first = Number(codes.codeFor(`att_${String(attempt)}`, digits)[0]);
        counts[first] = (counts[first] ?? 0) + 1;
      }
      // 500 expected; six standard deviations of a fixed, derived sample.
      for (const count of counts) expect(Math.abs(count - 500)).toBeLessThan(128);
    }
  });

  it('need an attempt and six to ten digits', () => {
    expect(() => codes.codeFor('', 6)).toThrow(TypeError);
    for (const digits of [5, 11, 6.5, Number.NaN])
      expect(() => codes.codeFor('att_1', digits)).toThrow(TypeError);
  });
});

describe('the embedded risk engine', () => {
  it('never calls a risk low that nobody has evaluated', async () => {
    const subject = { customerId: 'cus_1', action: 'login', deviceId: undefined };
    await expect(embeddedRiskEngine.evaluate(subject)).resolves.toBe('not_evaluated');
  });
});
