/** The one suite of the key management: the embedded one and AWS KMS, its real SDK against a local server that speaks KMS's protocol. */
import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAwsCalls } from '../../../adapters/kms/aws-calls.ts';
import type { AwsCalls, KmsOperation } from '../../../adapters/kms/aws-calls.ts';
import { createAwsKms, keyringContext } from '../../../adapters/kms/aws.ts';
import type { KmsKey } from '../../../adapters/kms/aws.ts';
import { createEmbeddedKms } from '../../../adapters/kms/embedded.ts';
import { openKeyring } from '../../../adapters/kms/keyring.ts';
import { createAwsSigner } from '../../../adapters/kms/aws-signer.ts';
import { createEmbeddedSigner, oneSpelling } from '../../../adapters/kms/lasting-keys.ts';
import type { KeyManagement, LastingSigner } from '../../../domain/ports.ts';
import { findFreePort } from '../../../runtime/ports.ts';
import { createKmsKey, createKmsSigningKey } from '../../setup/kms-keys.ts';
import { MOTO_CREDENTIALS, MOTO_REGION, startMoto } from '../../setup/programs/moto.ts';
import type { Moto } from '../../setup/programs/moto.ts';

const masterKeys = [
  { kid: 'm2', key: randomBytes(32) },
  { kid: 'm1', key: randomBytes(32) },
];
const told: [KmsOperation, string][] = [];
const observer = {
  called: (operation: KmsOperation, outcome: string) => {
    told.push([operation, outcome]);
  },
};

let moto: Moto;
let calls: AwsCalls;
let k1: KmsKey;
let k2: KmsKey;
let signing1: string;
let signing2: string;
beforeAll(async () => {
  moto = await startMoto();
  k1 = { kid: 'k1', arn: await createKmsKey(moto.url) };
  k2 = { kid: 'k2', arn: await createKmsKey(moto.url) };
  signing1 = await createKmsSigningKey(moto.url);
  signing2 = await createKmsSigningKey(moto.url);
  calls = callsTo(moto.url);
});
afterAll(() => moto?.stop());

const callsTo = (endpoint: string) =>
  createAwsCalls({ endpoint, region: MOTO_REGION, credentials: MOTO_CREDENTIALS, observer });
const aws = (keys: readonly KmsKey[]) => createAwsKms({ calls, keys, masterKeys });

const kinds: readonly [
  string,
  () => { readonly first: KeyManagement; readonly later: KeyManagement },
][] = [
  [
    'the embedded one',
    () => ({
      first: createEmbeddedKms(masterKeys.slice(1)),
      later: createEmbeddedKms(masterKeys),
    }),
  ],
  ['AWS KMS', () => ({ first: aws([k1]), later: aws([k2, k1]) })],
];

describe.each(kinds)('key management: %s', (_name, make) => {
  test('opens what it sealed, in another process too, under its context alone', async () => {
    const plain = randomBytes(138);
    const { kekId, sealed } = await make().first.wrap(plain, 'signing-key/a');
    expect(Buffer.from(sealed).includes(plain)).toBe(false);
    const { first } = make();
    expect(Buffer.from(await first.unwrap(kekId, sealed, 'signing-key/a'))).toEqual(plain);
    await expect(first.unwrap(kekId, sealed, 'signing-key/b')).rejects.toMatchObject({
      code: 'internal_error',
    });
  });

  test('refuses a value that was changed, and a key that it does not know', async () => {
    const { first } = make();
    const { kekId, sealed } = await first.wrap(randomBytes(32), 'here');
    const changed = Uint8Array.from(sealed);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    await expect(first.unwrap(kekId, changed, 'here')).rejects.toMatchObject({
      code: 'internal_error',
    });
    await expect(first.unwrap('k9', sealed, 'here')).rejects.toMatchObject({
      code: 'internal_error',
    });
  });

  test('seals under the first key of a longer list and still opens what the other sealed', async () => {
    const { first, later } = make();
    const old = await first.wrap(Uint8Array.of(1, 2, 3), 'here');
    const young = await later.wrap(Uint8Array.of(4, 5, 6), 'here');
    expect(young.kekId).not.toBe(old.kekId);
    expect([...(await later.unwrap(old.kekId, old.sealed, 'here'))]).toEqual([1, 2, 3]);
    await expect(first.unwrap(young.kekId, young.sealed, 'here')).rejects.toMatchObject({
      code: 'internal_error',
    });
  });

  test('derives the same secret in every process, another for each label and key', () => {
    const { first, later } = make();
    expect(later.secret('blind-index')).toEqual(first.secret('blind-index', 'm1'));
    const keys = (['otp', 'challenge'] as const).flatMap((label) =>
      ['m1', 'm2'].map((kid) => Buffer.from(later.secret(label, kid).key).toString('hex')),
    );
    expect(new Set(keys).size).toBe(4);
  });
});

describe('AWS KMS', () => {
  test('opens nothing that another key of the account sealed in the name of ours', async () => {
    const stranger = await calls.encrypt(await createKmsKey(moto.url), randomBytes(32), 'here');
    // moto says AccessDeniedException where KMS says IncorrectKeyException: refused either way.
    await expect(aws([k1]).unwrap('k1', stranger, 'here')).rejects.toMatchObject({
      name: 'LatchkeyError',
    });
    await expect(calls.decrypt([k1.arn, k2.arn], stranger, 'here')).rejects.toMatchObject({
      code: 'internal_error',
    });
  });

  test('may be away for what this process opened once, and is asked again for the rest', async () => {
    const away = callsTo(`http://127.0.0.1:${String(await findFreePort())}`);
    let now = calls;
    const line: AwsCalls = {
      encrypt: (...call) => now.encrypt(...call),
      decrypt: (...call) => now.decrypt(...call),
      generate: (...call) => now.generate(...call),
      publicKey: (...call) => now.publicKey(...call),
      sign: (...call) => now.sign(...call),
    };
    const kms = createAwsKms({ calls: line, keys: [k1], masterKeys });
    const opened = await kms.wrap(Uint8Array.of(7), 'opened');
    const closed = await aws([k1]).wrap(Uint8Array.of(8), 'closed');
    now = away;
    expect([...(await kms.unwrap('k1', opened.sealed, 'opened'))]).toEqual([7]);
    await expect(kms.unwrap('k1', opened.sealed, 'closed')).rejects.toMatchObject({
      code: 'vendor_unavailable',
    });
    await expect(kms.unwrap('k1', closed.sealed, 'closed')).rejects.toMatchObject({
      code: 'vendor_unavailable',
    });
    await expect(kms.wrap(Uint8Array.of(9), 'new')).rejects.toMatchObject({
      code: 'vendor_unavailable',
    });
    now = calls;
    expect([...(await kms.unwrap('k1', closed.sealed, 'closed'))]).toEqual([8]);
  });

  test('opens what the embedded one had sealed before', async () => {
    const { kekId, sealed } = await createEmbeddedKms(masterKeys).wrap(Uint8Array.of(1), 'here');
    expect([...(await aws([k1]).unwrap(kekId, sealed, 'here'))]).toEqual([1]);
  });

  test('that nobody answers for is said to be unavailable within seconds, and is counted', async () => {
    told.length = 0;
    const nobody = callsTo(`http://127.0.0.1:${String(await findFreePort())}`);
    await expect(nobody.encrypt(k1.arn, Uint8Array.of(1), 'here')).rejects.toMatchObject({
      code: 'vendor_unavailable',
    });
    expect(told).toEqual([['encrypt', 'unavailable']]);
  });

  test('opens the keys of the configuration at the start, each for its purpose and id alone', async () => {
    const sealedKey = async (purpose: 'master' | 'payload', kid: string) => ({
      kid,
      key: await calls.generate(k1.arn, keyringContext(purpose, kid)),
    });
    const kms = {
      region: MOTO_REGION,
      endpoint: moto.url,
      credentials: MOTO_CREDENTIALS,
      keys: [k2, k1],
      receiptKeys: [signing1],
    };
    const master = [await sealedKey('master', 'm1')];
    const payload = [await sealedKey('payload', 'p1')];
    const { keys, kms: opened } = await openKeyring({ master, payload, kms });
    expect(keys.master.map(({ kid, key }) => [kid, key.length])).toEqual([['m1', 32]]);
    expect(opened.secret('otp').kekId).toBe('m1');
    const again = await openKeyring({ master, payload, kms });
    expect(again.keys).toEqual(keys);
    await expect(openKeyring({ master: payload, payload: master, kms })).rejects.toMatchObject({
      name: 'KeyCanaryError',
    });
  });
});

const signers: readonly [
  string,
  () => { readonly first: LastingSigner; readonly later: LastingSigner },
][] = [
  [
    'the embedded one',
    () => ({
      first: createEmbeddedSigner(masterKeys.slice(1)),
      later: createEmbeddedSigner(masterKeys),
    }),
  ],
  [
    'AWS KMS',
    () => ({
      first: createAwsSigner(calls, { receipt: [signing1] }),
      later: createAwsSigner(calls, { receipt: [signing2, signing1] }),
    }),
  ],
];

const HALF_ORDER = 0x7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8n;

describe.each(signers)('the signer of receipts: %s', (_name, make) => {
  test('signs what its first public half verifies, in the one spelling with the small s', async () => {
    const { first } = make();
    const [key] = await first.publicKeys('receipt');
    for (let round = 0; round < 8; round += 1) {
      const message = randomBytes(1000);
      const { keyId, signature } = await first.sign('receipt', message);
      expect(keyId).toBe(key.keyId);
      expect(signature).toHaveLength(64);
      const publicKey = createPublicKey({ key: { ...key.publicJwk }, format: 'jwk' });
      const form = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
      expect(verify('sha256', message, form, signature)).toBe(true);
      expect(verify('sha256', randomBytes(1000), form, signature)).toBe(false);
      const s = BigInt(`0x${Buffer.from(signature.subarray(32)).toString('hex')}`);
      expect(s).toBeLessThanOrEqual(HALF_ORDER);
    }
  });

  test('has the same key in another process, named by its thumbprint', async () => {
    const [one] = await make().first.publicKeys('receipt');
    const [again] = await make().first.publicKeys('receipt');
    expect(again).toEqual(one);
    expect(one.keyId).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(Object.keys(one.publicJwk).sort()).toEqual(['crv', 'kty', 'x', 'y']);
  });

  test('signs with the new first key after a rotation, and still names the old one', async () => {
    const [old] = await make().first.publicKeys('receipt');
    const { later } = make();
    const [current, ...others] = await later.publicKeys('receipt');
    expect(current.keyId).not.toBe(old.keyId);
    expect(others).toEqual([old]);
    expect((await later.sign('receipt', randomBytes(10))).keyId).toBe(current.keyId);
  });
});

describe('a signature of the KMS', () => {
  test('that is not there to be had is said to be unavailable', async () => {
    const nobody = callsTo(`http://127.0.0.1:${String(await findFreePort())}`);
    await expect(
      createAwsSigner(nobody, { receipt: [signing1] }).sign('receipt', Uint8Array.of(1)),
    ).rejects.toMatchObject({ code: 'vendor_unavailable' });
  });

  test('is respelled from two integers of any length, and nothing else is taken for one', () => {
    const short = Uint8Array.of(0x30, 6, 2, 1, 1, 2, 1, 2);
    expect(Buffer.from(oneSpelling(short)).toString('hex')).toBe(
      `${'0'.repeat(63)}1${'0'.repeat(63)}2`,
    );
    for (const wrong of [[], [0x30, 3, 2, 1, 1], [0x30, 6, 4, 1, 1, 2, 1, 2]])
      expect(() => oneSpelling(Uint8Array.from(wrong))).toThrow(TypeError);
  });
});
