/**
 * The configured keys made usable: as they are, or opened by AWS KMS. Wiring calls it once, before anything else works; it never gives half
 * a list.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { LatchkeyError } from '../../domain/errors.ts';
import type { KeyManagement, LastingSigner } from '../../domain/ports.ts';
import type { AwsKmsOptions, KmsObserver } from './aws-calls.ts';
import { createAwsSigner } from './aws-signer.ts';
import { createAwsKms, openKeyList } from './aws.ts';
import type { KmsKey } from './aws.ts';
import { createEmbeddedKms } from './embedded.ts';
import { createEmbeddedSigner } from './lasting-keys.ts';
import type { MasterKey } from './embedded.ts';

export interface SealedKeyring {
  /** With `kms`, each is as KMS sealed it. */
  readonly master: readonly MasterKey[];
  readonly payload: readonly MasterKey[];
  readonly kms?: Omit<AwsKmsOptions, 'observer'> & {
    readonly keys: readonly KmsKey[];
    /** ARNs; the first signs receipts. */
    readonly receiptKeys: readonly string[];
  };
}

export interface OpenedKeyring {
  readonly keys: Pick<SealedKeyring, 'master' | 'payload'>;
  readonly kms: KeyManagement;
  readonly signer: LastingSigner;
}

/** @throws LatchkeyError vendor_unavailable: KMS is away; KeyCanaryError: it refuses a key for good. */
export async function openKeyring(
  { master, payload, kms }: SealedKeyring,
  observer?: KmsObserver,
): Promise<OpenedKeyring> {
  if (kms === undefined) {
    const signer = createEmbeddedSigner(master);
    return { keys: { master, payload }, kms: createEmbeddedKms(master), signer };
  }
  const { keys } = kms;
  // The SDK is of use to nobody without AWS.
  const { createAwsCalls } = await import('./aws-calls.ts');
  const calls = createAwsCalls({ ...kms, ...(observer === undefined ? {} : { observer }) });
  const [masterKeys, payloadKeys] = await Promise.all([
    openKeyList({ calls, keys }, 'master', master),
    openKeyList({ calls, keys }, 'payload', payload),
  ]);
  return {
    keys: { master: masterKeys, payload: payloadKeys },
    kms: createAwsKms({ calls, keys, masterKeys }),
    signer: createAwsSigner(calls, { receipt: kms.receiptKeys }),
  };
}

const TRY_AGAIN_MS = 1_000;

/** Tries until KMS has answered; undefined when told to stop first. @throws KeyCanaryError: it refuses for good. */
export async function openKeyringWhenItAnswers(
  sealed: SealedKeyring,
  options: {
    readonly signal: AbortSignal;
    readonly observer: KmsObserver;
    /** Told each time that it did not. */
    readonly onAway: (error: unknown) => void | Promise<void>;
  },
): Promise<OpenedKeyring | undefined> {
  while (!options.signal.aborted) {
    try {
      return await openKeyring(sealed, options.observer);
    } catch (error) {
      if (!(error instanceof LatchkeyError) || error.code !== 'vendor_unavailable') throw error;
      await options.onAway(error);
      await pause(TRY_AGAIN_MS, undefined, { signal: options.signal }).catch(() => undefined);
    }
  }
  return undefined;
}
