/** Symmetric keys made in a local KMS for one test file. */
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { MOTO_CREDENTIALS, MOTO_REGION } from './moto.ts';

/** Answers the ARN of a new key. */
export async function createKmsKey(endpoint: string): Promise<string> {
  const client = new KMSClient({ endpoint, region: MOTO_REGION, credentials: MOTO_CREDENTIALS });
  const { KeyMetadata } = await client.send(new CreateKeyCommand({}));
  client.destroy();
  if (KeyMetadata?.Arn === undefined) throw new Error('KMS names its new key');
  return KeyMetadata.Arn;
}
