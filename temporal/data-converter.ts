/** What every client and worker of Latchkey speaks to Temporal with: the payload codec and encoded failures, always both. */
import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { PayloadEncryption } from './payload-codec.ts';
import type { PayloadKey } from './payload-codec.ts';

export const FAILURE_CONVERTER_PATH = fileURLToPath(
  new URL('failure-converter.ts', import.meta.url),
);

export function createDataConverter(options: {
  readonly namespace: string;
  /** The first encrypts, every one decrypts. */
  readonly keys: readonly PayloadKey[];
  readonly onRefused?: (reason: string) => void;
}): DataConverter {
  return {
    failureConverterPath: FAILURE_CONVERTER_PATH,
    payloadCodecs: [new PayloadEncryption(options)],
  };
}
