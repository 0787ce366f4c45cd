/**
 * Who checks liveness, from the environment: a vendor of the generic signed call, or Amazon Rekognition. AWS credentials are no business of this file:
 * the SDK finds them as every AWS program does.
 */
import { readUrl } from './environment.ts';
import type { EnvironmentReader } from './environment.ts';

export type LivenessConfiguration =
  | { readonly vendor: 'signed-http'; readonly url: string; readonly secret: string }
  | {
      readonly vendor: 'rekognition';
      readonly region: string;
      /** Where the bank keeps the faces enrolled at proofing. */
      readonly referenceBucket: string;
      /** Where sessions leave the face they saw. */
      readonly outputBucket: string;
      readonly kmsKeyId?: string;
      readonly endpoint?: string;
    };

const REGION = /^[a-z]{2}(?:-[a-z]+)+-[0-9]{1,2}$/;
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const KMS_KEY = /^[A-Za-z0-9][A-Za-z0-9:_/+=,@.-]{0,2047}$/;

/** undefined: there is none. A part of one is a mistake, and so is what belongs to the other. */
export const readLiveness = (reader: EnvironmentReader): LivenessConfiguration | undefined => {
  const vendor = reader.oneOf('LIVENESS_VENDOR', ['signed-http', 'rekognition'], 'signed-http');
  const isCalled = ['LIVENESS_URL', 'LIVENESS_SECRET'].map(
    (name) => [name, reader.optional(name) !== undefined] as const,
  );
  const region = reader.shaped(
    'LIVENESS_REGION',
    (value) => REGION.test(value),
    'use the name of a region, such as eu-west-1',
  );
  const referenceBucket = readBucket(reader, 'LIVENESS_REFERENCE_BUCKET');
  const outputBucket = readBucket(reader, 'LIVENESS_OUTPUT_BUCKET');
  const kmsKeyId = reader.shaped(
    'LIVENESS_KMS_KEY',
    (value) => KMS_KEY.test(value),
    'use the id or ARN of a KMS key',
  );
  const endpoint = readEndpoint(reader);
  const ofAws = {
    LIVENESS_REGION: region,
    LIVENESS_REFERENCE_BUCKET: referenceBucket,
    LIVENESS_OUTPUT_BUCKET: outputBucket,
    LIVENESS_KMS_KEY: kmsKeyId,
    LIVENESS_ENDPOINT: endpoint,
  };
  if (vendor === 'signed-http') {
    for (const [name, value] of Object.entries(ofAws))
      if (value !== undefined)
        reader.refuse(name, 'is given without LIVENESS_VENDOR=rekognition', 'give both or none');
    if (isCalled.every(([, isGiven]) => !isGiven)) return undefined;
    return {
      vendor,
      url: reader.vendorUrl('LIVENESS_URL'),
      secret: reader.secret('LIVENESS_SECRET'),
    };
  }
  for (const [name, isGiven] of isCalled)
    if (isGiven)
      reader.refuse(name, 'is given with LIVENESS_VENDOR=rekognition', 'give one of the two');
  for (const name of [
    'LIVENESS_REGION',
    'LIVENESS_REFERENCE_BUCKET',
    'LIVENESS_OUTPUT_BUCKET',
  ] as const)
    if (ofAws[name] === undefined && !reader.problems.some((line) => line.startsWith(`${name}:`)))
      reader.refuse(name, 'is missing', 'Rekognition needs it');
  return {
    vendor,
    region: region ?? '',
    referenceBucket: referenceBucket ?? '',
    outputBucket: outputBucket ?? '',
    ...(kmsKeyId === undefined ? {} : { kmsKeyId }),
    ...(endpoint === undefined ? {} : { endpoint }),
  };
};

const readBucket = (reader: EnvironmentReader, variable: string): string | undefined =>
  reader.shaped(variable, (value) => BUCKET.test(value), 'use the name of an S3 bucket');

const readEndpoint = (reader: EnvironmentReader): string | undefined => {
  const value = reader.shaped(
    'LIVENESS_ENDPOINT',
    (text) => ['http:', 'https:'].includes(readUrl(text)?.protocol ?? ''),
    'use https://host',
  );
  if (value !== undefined && reader.isProduction && readUrl(value)?.protocol === 'http:')
    reader.refuse('LIVENESS_ENDPOINT', 'is not encrypted', 'use https:// in production');
  return value;
};
