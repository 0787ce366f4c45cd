/**
 * Liveness checks through any supplier that takes the generic signed call: POST <url>/sessions begins one, the result comes by signed webhook
 * (parseLivenessResult of domain/liveness.ts), GET <url>/sessions/<session> reads it. It must never pass a picture on, nor a verdict of another check.
 */
import { LatchkeyError } from '../../domain/errors.ts';
import { isVerdictOf, parseLivenessResult } from '../../domain/liveness.ts';
import type { LivenessBinding, LivenessReading } from '../../domain/liveness.ts';
import type { LivenessChecker } from '../../domain/ports.ts';
import { getSigned, postSigned } from '../signed-http.ts';
import type { SignedCallOptions } from '../signed-http.ts';

const SESSION = /^[\x21-\x7e]{1,200}$/;
const PARAMETER_NAME = /^[A-Za-z][A-Za-z0-9_]{0,39}$/;
const MAX_PARAMETERS = 20;
/** Room for an address or a token; a picture does not fit. */
const MAX_PARAMETER_LENGTH = 4096;

export function createHttpLivenessChecker({
  url,
  ...options
}: SignedCallOptions & { readonly url: string }): LivenessChecker {
  const sessionsUrl = `${url.replace(/\/+$/, '')}/sessions`;
  return {
    startSession: async (check) => {
      const { reference, caseId, newJkt, referenceImageId, callbackUrl, expiresInSeconds } = check;
      const answer = await postSigned(
        sessionsUrl,
        { reference, caseId, newJkt, referenceImageId, callbackUrl, expiresInSeconds },
        options,
      );
      const lastMomentMs = options.clock.nowMs() + expiresInSeconds * 1000;
      return startedOf(membersOf(answer), lastMomentMs);
    },
    readResult: async ({ reference, vendorSession, caseId, newJkt }) => {
      const address = `${sessionsUrl}/${encodeURIComponent(vendorSession)}`;
      const answer = await getSigned(address, options);
      return readingOf(answer, { reference, vendorSession, caseId, newJkt });
    },
  };
}

function startedOf(answer: ReadonlyMap<string, unknown>, lastMomentMs: number) {
  const vendorSession = answer.get('vendorSession');
  const clientParameters = [...membersOf(answer.get('clientParameters'))];
  const expiresAt = answer.get('expiresAt');
  const expiresAtMs = typeof expiresAt === 'string' ? Date.parse(expiresAt) : NaN;
  const isShaped =
    typeof vendorSession === 'string' &&
    SESSION.test(vendorSession) &&
    clientParameters.length <= MAX_PARAMETERS &&
    !Number.isNaN(expiresAtMs);
  if (!isShaped || !clientParameters.every(isParameter)) throw refused('session');
  return {
    vendorSession,
    clientParameters: Object.fromEntries(clientParameters),
    // Never longer than was asked for.
    expiresAtMs: Math.min(expiresAtMs, lastMomentMs),
  };
}

function isParameter(entry: readonly [string, unknown]): entry is [string, string] {
  const [name, value] = entry;
  return (
    PARAMETER_NAME.test(name) && typeof value === 'string' && value.length <= MAX_PARAMETER_LENGTH
  );
}

function readingOf(answer: unknown, binding: LivenessBinding): LivenessReading {
  if (answer === undefined) return { status: 'expired' };
  const status = membersOf(answer).get('status');
  if (status === 'pending' || status === 'expired') return { status };
  const result = status === 'done' ? parseLivenessResult(answer) : undefined;
  if (result === undefined || !isVerdictOf(result, binding)) throw refused('result of this check');
  const { atMs: _, ...verdict } = result;
  return { status: 'done', verdict };
}

function membersOf(value: unknown): ReadonlyMap<string, unknown> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return new Map<string, unknown>(isObject ? Object.entries(value) : []);
}

const refused = (missing: string): LatchkeyError =>
  new LatchkeyError('vendor_refused', { cause: new Error(`the answer has no ${missing}`) });
