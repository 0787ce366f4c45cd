/** Keys made in a local KMS for one test file. */
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import type { CreateKeyCommandInput } from '@aws-sdk/client-kms';
import { MOTO_CREDENTIALS, MOTO_REGION } from './programs/moto.ts';

/** Answers the ARN of a new key. */
export async function createKmsKey(endpoint: string): Promise<string> {
  return await createKey(endpoint, {});
}

/** One that signs; answers its ARN. */
export async function createKmsSigningKey(endpoint: string): Promise<string> {
  return await createKey(endpoint, { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
}

async function createKey(endpoint: string, kind: CreateKeyCommandInput): Promise<string> {
  const client = new KMSClient({ endpoint, region: MOTO_REGION, credentials: MOTO_CREDENTIALS });
  const { KeyMetadata } = await client.send(new CreateKeyCommand(kind));
  client.destroy();
  if (KeyMetadata?.Arn === undefined) throw new Error('KMS names its new key');
  return KeyMetadata.Arn;
}
