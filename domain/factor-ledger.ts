/**
 * The factor ledger of a recovery as a rule: which proofs count, which of them are the same proof twice, and what is still missing. Pure;
 * in doubt a proof does not count. It must never let two factors of one channel or one handset count for two (SECURITY.md section 6).
 */

/** What a proof is about: that a contact is reached, who the person is, or that a phone of theirs is in their hands. */
export const FACTOR_KINDS = ['contact', 'identity', 'device'] as const;
export type FactorKind = (typeof FACTOR_KINDS)[number];

export const FACTOR_CHANNELS = [
  'email',
  'phone',
  'camera',
  'in_person',
  'video',
  'document',
  'app',
] as const;
export type FactorChannel = (typeof FACTOR_CHANNELS)[number];

interface Method {
  readonly factor: FactorKind;
  readonly channel: FactorChannel;
  /** Of three, as eIDAS counts: low, substantial, high. */
  readonly strength: FactorStrength;
  /** Whoever records it says what was seen; high only once a second natural person has confirmed that. */
  readonly needsSecondPerson: boolean;
}

export type FactorStrength = 1 | 2 | 3;

const method = (
  factor: FactorKind,
  channel: FactorChannel,
  strength: FactorStrength,
  needsSecondPerson = false,
): Method => ({ factor, channel, strength, needsSecondPerson });

/** Every way to prove something in a case. */
export const FACTOR_METHODS = {
  email_link: method('contact', 'email', 1),
  email_code: method('contact', 'email', 1),
  sms_link: method('contact', 'phone', 1),
  sms_code: method('contact', 'phone', 1),
  call_back: method('contact', 'phone', 1),
  liveness: method('identity', 'camera', 3),
  branch: method('identity', 'in_person', 3),
  video: method('identity', 'video', 3, true),
  document: method('identity', 'document', 3, true),
  verified_call: method('device', 'app', 2),
  passkey: method('device', 'app', 2),
} as const satisfies { readonly [name: string]: Method };
export type FactorMethod = keyof typeof FACTOR_METHODS;

/** What stands for a liveness check for those who cannot do one, and beside a contact for the second one. */
export const EVIDENCE_METHODS = ['branch', 'video', 'document'] as const;

export interface Factor {
  readonly method: FactorMethod;
  /** The device or contact it lives on; null where it is no handset's. */
  readonly handset: string | null;
  /** The security epoch that the case was pinned to when it was proved. */
  readonly epoch: number;
  /** Lives on the phone that was reported lost or stolen: it may open a case and proves nothing in it. */
  readonly isOnReportedHandset: boolean;
  /** Only where the method asks for one. */
  readonly isConfirmedBySecondPerson: boolean;
}

export interface LedgerRequirement {
  readonly identityStrength: FactorStrength;
  readonly contacts: 1 | 2;
}

export const MISSING_FACTORS = ['contact', 'second_contact', 'identity'] as const;
export type MissingFactor = (typeof MISSING_FACTORS)[number];

/** What it is worth now: an identity that was proved under an older epoch is proved again. */
export function factorStrength(factor: Factor, epoch: number): FactorStrength | 0 {
  const { factor: kind, strength, needsSecondPerson } = FACTOR_METHODS[factor.method];
  if (factor.isOnReportedHandset) return 0;
  if (kind === 'identity' && factor.epoch !== epoch) return 0;
  if (needsSecondPerson && !factor.isConfirmedBySecondPerson) return 1;
  return strength;
}

/** What the ledger still lacks, in the order in which it is asked for; empty when it suffices. */
export function missingFactors(
  factors: readonly Factor[],
  required: LedgerRequirement,
  epoch: number,
): MissingFactor[] {
  const identities = factors.filter(
    (factor) =>
      FACTOR_METHODS[factor.method].factor === 'identity' &&
      factorStrength(factor, epoch) >= required.identityStrength,
  );
  // A call from the phone that is in the owner's hands reaches them no worse than a message does.
  const contacts = factors.filter(
    (factor) =>
      FACTOR_METHODS[factor.method].factor !== 'identity' && factorStrength(factor, epoch) > 0,
  );
  // The identity that leaves the most beside it; none proved yet takes no contact away.
  const proved =
    identities.length === 0
      ? [{ reached: mostDistinct(contacts), isSeen: false }]
      : identities.map((identity) => ({
          reached: mostDistinct(contacts.filter((contact) => areDistinct(identity, contact))),
          isSeen: isSeenByStaff(identity, epoch),
        }));
  const hasOne = proved.some(({ reached }) => reached >= 1);
  const hasTwo = proved.some(({ reached, isSeen }) => reached === 2 || (reached === 1 && isSeen));
  return [
    ...(hasOne ? [] : (['contact'] as const)),
    ...(hasTwo || required.contacts === 1 ? [] : (['second_contact'] as const)),
    ...(identities.length === 0 ? (['identity'] as const) : []),
  ];
}

/**
 * It takes the place of a second contact: else a new customer whose only phone is gone, and its number with it, could never prove two. A
 * camera never does: whoever holds one contact and fools it would need nobody of the bank.
 */
function isSeenByStaff(identity: Factor, epoch: number): boolean {
  const isEvidence = EVIDENCE_METHODS.some((name) => name === identity.method);
  return isEvidence && factorStrength(identity, epoch) === 3;
}

function areDistinct(one: Factor, other: Factor): boolean {
  const isSameChannel = FACTOR_METHODS[one.method].channel === FACTOR_METHODS[other.method].channel;
  const isSameHandset = one.handset !== null && one.handset === other.handset;
  return !isSameChannel && !isSameHandset;
}

/** 0, 1 or 2: no policy asks for more than two that differ. */
function mostDistinct(factors: readonly Factor[]): 0 | 1 | 2 {
  if (factors.length === 0) return 0;
  const hasPair = factors.some((one) => factors.some((other) => areDistinct(one, other)));
  return hasPair ? 2 : 1;
}
