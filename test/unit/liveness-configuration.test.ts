/** The liveness vendor of the environment: none, one of the two kinds whole, and every fault by its variable. */
import { describe, expect, it } from 'vitest';
import { loadPart } from '../../configuration/configuration.ts';
import { readLiveness } from '../../configuration/liveness.ts';

const secret = 'x7'.repeat(16);
const http = { LIVENESS_URL: 'https://liveness.example/v1', LIVENESS_SECRET: secret };
const aws = {
  LIVENESS_VENDOR: 'rekognition',
  LIVENESS_REGION: 'eu-west-1',
  LIVENESS_REFERENCE_BUCKET: 'bank-faces',
  LIVENESS_OUTPUT_BUCKET: 'bank-sessions',
};
const read = (env: Record<string, string>) => loadPart(env, readLiveness);

describe('the liveness vendor', () => {
  it('is none when nothing is given', () => {
    expect(read({})).toBeUndefined();
    expect(read({ LIVENESS_VENDOR: 'signed-http', LIVENESS_URL: '' })).toBeUndefined();
  });

  it('is the generic one with an address and a secret', () => {
    expect(read(http)).toEqual({ vendor: 'signed-http', url: http.LIVENESS_URL, secret });
  });

  it('is Rekognition with a region and two buckets, and what may be added', () => {
    const whole = {
      vendor: 'rekognition',
      region: 'eu-west-1',
      referenceBucket: 'bank-faces',
      outputBucket: 'bank-sessions',
    };
    expect(read(aws)).toEqual(whole);
    const arn = 'arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555';
    const endpoint = 'https://rekognition.vpce.example';
    expect(read({ ...aws, LIVENESS_KMS_KEY: arn, LIVENESS_ENDPOINT: endpoint })).toEqual({
      ...whole,
      kmsKeyId: arn,
      endpoint,
    });
  });

  it.each<readonly [string, Record<string, string>]>([
    ['LIVENESS_VENDOR', { LIVENESS_VENDOR: 'somebody' }],
    ['LIVENESS_SECRET', { LIVENESS_URL: http.LIVENESS_URL }],
    ['LIVENESS_URL', { LIVENESS_SECRET: secret }],
    ['LIVENESS_URL', { ...http, LIVENESS_URL: 'http://liveness.example' }],
    ['LIVENESS_SECRET', { ...http, LIVENESS_SECRET: `demo-${secret}` }],
    ['LIVENESS_SECRET', { ...http, LIVENESS_SECRET: 'short' }],
    ['LIVENESS_REGION', { ...http, LIVENESS_REGION: 'eu-west-1' }],
    ['LIVENESS_URL', { ...aws, LIVENESS_URL: http.LIVENESS_URL }],
    ['LIVENESS_SECRET', { ...aws, LIVENESS_SECRET: secret }],
    ['LIVENESS_REGION', { ...aws, LIVENESS_REGION: '' }],
    ['LIVENESS_REGION', { ...aws, LIVENESS_REGION: 'Ireland' }],
    ['LIVENESS_REFERENCE_BUCKET', { ...aws, LIVENESS_REFERENCE_BUCKET: '' }],
    ['LIVENESS_REFERENCE_BUCKET', { ...aws, LIVENESS_REFERENCE_BUCKET: 's3://bank' }],
    ['LIVENESS_OUTPUT_BUCKET', { ...aws, LIVENESS_OUTPUT_BUCKET: '' }],
    ['LIVENESS_KMS_KEY', { ...aws, LIVENESS_KMS_KEY: 'a key' }],
    ['LIVENESS_ENDPOINT', { ...aws, LIVENESS_ENDPOINT: 'rekognition' }],
    ['LIVENESS_ENDPOINT', { ...aws, LIVENESS_ENDPOINT: 'http://rekognition.example' }],
  ])('is refused by the name of %s alone', (variable, env) => {
    let problems: readonly string[] = [];
    try {
      read(env);
    } catch (error) {
      problems = (error as { problems: readonly string[] }).problems;
    }
    expect(problems.map((line) => line.split(':')[0])).toEqual([variable]);
    expect(problems.join()).not.toContain(secret);
  });
});
