/** What AWS KMS is configured by, and each fault with everything else in order. */
import { describe, expect, it } from 'vitest';
import { EnvironmentReader } from '../../configuration/environment.ts';
import type { Environment } from '../../configuration/environment.ts';
import { readKeyring } from '../../configuration/keyring.ts';

const arn = (id: string) => `arn:aws:kms:eu-central-1:111122223333:key/${id}`;
const sealed = (fill: number) => Buffer.alloc(150, fill).toString('base64');
const sound: Environment = {
  LATCHKEY_KMS: 'aws',
  LATCHKEY_KMS_KEYS: `k2=${arn('b')}, k1=${arn('a')}`,
  LATCHKEY_KMS_RECEIPT_KEYS: `${arn('s2')}, ${arn('s1')}`,
  LATCHKEY_KMS_REGION: 'eu-central-1',
  LATCHKEY_MASTER_KEYS: `m1:${sealed(1)}`,
  LATCHKEY_PAYLOAD_KEYS: `p1:${sealed(2)}`,
};

function read(env: Environment) {
  const reader = new EnvironmentReader(env, () => '');
  return { keyring: readKeyring(reader), problems: reader.problems };
}

describe('a keyring of AWS KMS', () => {
  it('has its keys in order, its region, and sealed lists', () => {
    const { keyring, problems } = read(sound);
    expect(problems).toEqual([]);
    expect(keyring.kms).toEqual({
      region: 'eu-central-1',
      keys: [
        { kid: 'k2', arn: arn('b') },
        { kid: 'k1', arn: arn('a') },
      ],
      receiptKeys: [arn('s2'), arn('s1')],
    });
    expect(keyring.master.map(({ kid, key }) => [kid, key.length])).toEqual([['m1', 150]]);
  });

  it.each([
    ['LATCHKEY_KMS', 'vault', 'is none of its values'],
    ['LATCHKEY_KMS_KEYS', '', 'is missing'],
    ['LATCHKEY_KMS_KEYS', 'k1=alias/latchkey', 'has the wrong form'],
    ['LATCHKEY_KMS_KEYS', `k1=${arn('a')},k1=${arn('b')}`, 'repeats a key id'],
    ['LATCHKEY_KMS_RECEIPT_KEYS', '', 'is missing'],
    ['LATCHKEY_KMS_RECEIPT_KEYS', 'alias/receipts', 'has the wrong form'],
    ['LATCHKEY_KMS_RECEIPT_KEYS', `${arn('s1')},${arn('s1')}`, 'repeats a key'],
    ['LATCHKEY_KMS_REGION', '', 'is missing'],
    ['LATCHKEY_KMS_REGION', 'eu central', 'has the wrong form'],
    ['LATCHKEY_KMS_ENDPOINT', 'kms.example', 'has the wrong form'],
    ['LATCHKEY_KMS_ENDPOINT', 'http://kms.example', 'is not encrypted'],
    ['LATCHKEY_MASTER_KEYS', `m1:${Buffer.alloc(32, 1).toString('base64')}`, 'has the wrong form'],
    ['LATCHKEY_PAYLOAD_KEYS', `p1:${sealed(1)}`, 'shares a key with LATCHKEY_MASTER_KEYS'],
  ])('is refused for %s %j: %s', (variable, value, wrong) => {
    const { problems } = read({ ...sound, [variable]: value });
    expect(problems.join('\n')).toContain(`${variable}: ${wrong}`);
  });

  it('is none without LATCHKEY_KMS=aws, and its keys alone are a mistake', () => {
    const plain = { LATCHKEY_MASTER_KEYS: `m1:${Buffer.alloc(32, 1).toString('base64')}` };
    expect(read(plain).keyring.kms).toBeUndefined();
    expect(read({ ...plain, LATCHKEY_KMS_KEYS: `k1=${arn('a')}` }).problems).toContain(
      'LATCHKEY_KMS_KEYS: is given without LATCHKEY_KMS=aws; give both or none',
    );
    expect(read({ ...plain, LATCHKEY_KMS_RECEIPT_KEYS: arn('s1') }).problems).toContain(
      'LATCHKEY_KMS_RECEIPT_KEYS: is given without LATCHKEY_KMS=aws; give both or none',
    );
  });
});
