/**
 * What a liveness vendor may say of one check, and what follows from it. A verdict names the attempt, the vendor's session, the case and the key
 * of the new phone it was made for: of another of these it is no verdict. Pure, and without a picture: what a vendor sends beside the named
 * members is dropped here.
 */

/** What the app hands to the vendor's own SDK. */
export type LivenessClientParameters = Readonly<Record<string, string>>;

export const LIVENESS_OUTCOMES = [
  'passed',
  'failed',
  'low_confidence',
  'injection_suspected',
  'timed_out',
] as const;
export type LivenessOutcome = (typeof LIVENESS_OUTCOMES)[number];

/** What a check is made for; all four together name it. */
export interface LivenessBinding {
  /** Id of the attempt. */
  readonly reference: string;
  readonly vendorSession: string;
  readonly caseId: string;
  /** Thumbprint of the new phone's key. */
  readonly newJkt: string;
}

export interface LivenessVerdict extends LivenessBinding {
  readonly outcome: LivenessOutcome;
  /** Of a hundred. */
  readonly livenessConfidence: number;
  /** Of a hundred: with the identity enrolled at proofing; null when nothing was compared. */
  readonly matchConfidence: number | null;
  readonly evidenceId: string;
}

/** As a vendor reports it by webhook or answers it when asked. */
export interface LivenessResult extends LivenessVerdict {
  /** When the vendor came to it. */
  readonly atMs: number;
}

export type LivenessReading =
  | { readonly status: 'pending' }
  /** The vendor's session is over without a verdict: another one has to be begun. */
  | { readonly status: 'expired' }
  | { readonly status: 'done'; readonly verdict: LivenessVerdict };

/** Smaller figures are in doubt, as policy.recovery says. */
export interface LivenessThresholds {
  readonly minLivenessConfidence: number;
  readonly minMatchConfidence: number;
}

/** `retry`: in doubt it is made again, as often as the policy allows. */
export type LivenessJudgement = 'matched' | 'refused' | 'retry';

/** A vendor's "passed" that did not compare with the enrolled identity proves that somebody lives, not who. */
export function judgeLiveness(
  {
    outcome,
    livenessConfidence,
    matchConfidence,
  }: Pick<LivenessVerdict, 'outcome' | 'livenessConfidence' | 'matchConfidence'>,
  { minLivenessConfidence, minMatchConfidence }: LivenessThresholds,
): LivenessJudgement {
  if (outcome === 'failed' || outcome === 'injection_suspected') return 'refused';
  const isSure =
    outcome === 'passed' &&
    matchConfidence !== null &&
    livenessConfidence >= minLivenessConfidence &&
    matchConfidence >= minMatchConfidence;
  return isSure ? 'matched' : 'retry';
}

/** Whether the verdict was made for exactly that check. */
export function isVerdictOf(verdict: LivenessBinding, binding: LivenessBinding): boolean {
  return (
    verdict.reference === binding.reference &&
    verdict.vendorSession === binding.vendorSession &&
    verdict.caseId === binding.caseId &&
    verdict.newJkt === binding.newJkt
  );
}

const NAME = /^[\x21-\x7e]{1,200}$/;
const JKT = /^[A-Za-z0-9_-]{43}$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

/** undefined: it is no result. Answers the named members only: a picture that came along ends here. */
export function parseLivenessResult(body: unknown): LivenessResult | undefined {
  const member = new Map(
    typeof body === 'object' && body !== null && !Array.isArray(body) ? Object.entries(body) : [],
  ) as ReadonlyMap<string, unknown>;
  const [reference, vendorSession, caseId, evidenceId] = [
    'reference',
    'vendorSession',
    'caseId',
    'evidenceId',
  ].map((name) => shaped(member.get(name), NAME));
  const newJkt = shaped(member.get('newJkt'), JKT);
  const at = shaped(member.get('at'), INSTANT);
  const outcome = LIVENESS_OUTCOMES.find((known) => known === member.get('outcome'));
  const livenessConfidence = percentage(member.get('livenessConfidence'));
  const match = member.get('matchConfidence') ?? null;
  const matchConfidence = match === null ? null : percentage(match);
  const atMs = at === undefined ? NaN : Date.parse(at);
  if (
    reference === undefined ||
    vendorSession === undefined ||
    caseId === undefined ||
    evidenceId === undefined ||
    newJkt === undefined ||
    outcome === undefined ||
    livenessConfidence === undefined ||
    matchConfidence === undefined ||
    Number.isNaN(atMs)
  )
    return undefined;
  const binding = { reference, vendorSession, caseId, newJkt };
  return { ...binding, outcome, livenessConfidence, matchConfidence, evidenceId, atMs };
}

const shaped = (value: unknown, form: RegExp): string | undefined =>
  typeof value === 'string' && form.test(value) ? value : undefined;

const percentage = (value: unknown): number | undefined =>
  typeof value === 'number' && value >= 0 && value <= 100 ? value : undefined;
