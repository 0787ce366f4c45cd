/** The liveness vendor of this process: the one that the configuration names. Without one nobody is let through by a face: evidence of another kind stays. */
import { LatchkeyError } from '../../domain/errors.ts';
import type { LivenessChecker } from '../../domain/ports.ts';
import type { SignedCallOptions } from '../signed-http.ts';
import { createRekognitionLivenessChecker } from './rekognition.ts';
import type { RekognitionOptions } from './rekognition.ts';
import { createHttpLivenessChecker } from './signed-http.ts';

type Configured =
  | { readonly vendor: 'signed-http'; readonly url: string; readonly secret: string }
  | ({ readonly vendor: 'rekognition' } & Omit<RekognitionOptions, 'clock' | 'timeoutMs'>);

export function createLivenessChecker(
  configured: Configured | undefined,
  { clock }: Pick<SignedCallOptions, 'clock'>,
): LivenessChecker {
  if (configured === undefined) return absent;
  if (configured.vendor === 'rekognition')
    return createRekognitionLivenessChecker({ ...configured, clock });
  return createHttpLivenessChecker({ ...configured, clock });
}

const refuse = () =>
  Promise.reject(
    new LatchkeyError('vendor_refused', { cause: new Error('no liveness vendor is configured') }),
  );
const absent: LivenessChecker = { startSession: refuse, readResult: refuse };
