/**
 * AWS KMS through its SDK: five calls, each with a deadline, those that seal and open bound to an encryption context. It never lets an error of
 * the SDK out, and tells what KMS refused for good from what may be tried again.
 */
import {
  DecryptCommand,
  EncryptCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GetPublicKeyCommand,
  KMSClient,
  KMSServiceException,
  SignCommand,
} from '@aws-sdk/client-kms';
import { LatchkeyError } from '../../domain/errors.ts';

/** With the SDK's own repetitions. */
const CALL_DEADLINE_MS = 4_000;
const CONNECT_TIMEOUT_MS = 1_000;
const MAX_ATTEMPTS = 3;

export interface AwsKmsOptions {
  readonly region: string;
  /** Left out: the region's own. */
  readonly endpoint?: string;
  /** Left out: found as every AWS program finds them, in the environment or from the machine's role. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly observer?: KmsObserver;
}

/** Told of every call. */
export interface KmsObserver {
  called(operation: KmsOperation, outcome: 'ok' | 'refused' | 'unavailable'): void;
}

export type KmsOperation = 'encrypt' | 'decrypt' | 'generate' | 'public_key' | 'sign';

/** @throws LatchkeyError internal_error: refused for good (another context, a changed value); vendor_unavailable: anything else. */
export interface AwsCalls {
  encrypt(keyArn: string, plain: Uint8Array, context: string): Promise<Uint8Array>;
  /** Only what one of `keyArns` sealed. */
  decrypt(keyArns: readonly string[], sealed: Uint8Array, context: string): Promise<Uint8Array>;
  /** 32 random bytes that nobody has seen, sealed. */
  generate(keyArn: string, context: string): Promise<Uint8Array>;
  /** Of a key of ECC_NIST_P256: its SubjectPublicKeyInfo, DER. */
  publicKey(keyArn: string): Promise<Uint8Array>;
  /** An ECDSA-Sig-Value, DER. KMS hashes; it takes at most 4096 bytes. */
  sign(keyArn: string, message: Uint8Array): Promise<Uint8Array>;
}

/** What no repetition cures. */
const REFUSALS: ReadonlySet<string> = new Set([
  'InvalidCiphertextException',
  'IncorrectKeyException',
]);

export function createAwsCalls(options: AwsKmsOptions): AwsCalls {
  const { region, endpoint, credentials, observer } = options;
  const client = new KMSClient({
    region,
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, requestTimeout: CALL_DEADLINE_MS },
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
  });
  const call = async <Answer>(
    operation: KmsOperation,
    work: (options: { readonly abortSignal: AbortSignal }) => Promise<Answer>,
  ): Promise<Answer> => {
    try {
      const answer = await work({ abortSignal: AbortSignal.timeout(CALL_DEADLINE_MS) });
      observer?.called(operation, 'ok');
      return answer;
    } catch (cause) {
      const isRefusal = cause instanceof KMSServiceException && REFUSALS.has(cause.name);
      observer?.called(operation, isRefusal ? 'refused' : 'unavailable');
      throw new LatchkeyError(isRefusal ? 'internal_error' : 'vendor_unavailable', { cause });
    }
  };
  const bound = (context: string) => ({ EncryptionContext: { latchkey: context } });
  return {
    encrypt: (KeyId, Plaintext, context) =>
      call('encrypt', async (sent) => {
        const command = new EncryptCommand({ KeyId, Plaintext, ...bound(context) });
        return given((await client.send(command, sent)).CiphertextBlob);
      }),
    decrypt: async (keyArns, CiphertextBlob, context) => {
      const { KeyId, Plaintext } = await call('decrypt', (sent) => {
        const [only] = keyArns.length === 1 ? keyArns : [];
        const pinned = only === undefined ? {} : { KeyId: only };
        const command = new DecryptCommand({ CiphertextBlob, ...pinned, ...bound(context) });
        return client.send(command, sent);
      });
      // Whoever may write a row could have sealed under a key of his own.
      if (KeyId === undefined || !keyArns.includes(KeyId))
        throw new LatchkeyError('internal_error');
      return given(Plaintext);
    },
    generate: (KeyId, context) =>
      call('generate', async (sent) => {
        const command = new GenerateDataKeyWithoutPlaintextCommand({
          KeyId,
          KeySpec: 'AES_256',
          ...bound(context),
        });
        return given((await client.send(command, sent)).CiphertextBlob);
      }),
    publicKey: (KeyId) =>
      call('public_key', async (sent) =>
        given((await client.send(new GetPublicKeyCommand({ KeyId }), sent)).PublicKey),
      ),
    sign: (KeyId, Message) =>
      call('sign', async (sent) => {
        const command = new SignCommand({
          KeyId,
          Message,
          MessageType: 'RAW',
          SigningAlgorithm: 'ECDSA_SHA_256',
        });
        return given((await client.send(command, sent)).Signature);
      }),
  };
}

function given(bytes: Uint8Array | undefined): Uint8Array {
  if (bytes === undefined) throw new TypeError('KMS answers with bytes');
  return bytes;
}
