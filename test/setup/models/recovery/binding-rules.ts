/**
 * What must hold of the rows in the moment in which a recovery has bound a phone, said once more in words of its own: who was proved, who approved, how
 * long the owner could object, under which epoch, and what is over. It shares no rule and no number with the code that it judges.
 */
import type { Report, RiskFound } from './actions.ts';
import type { CaseRow, Facts, FactorRow } from './facts.ts';

/** What a life remembers of a case, because the rows alone would have to be believed. */
export interface CaseMemory {
  risk: RiskFound;
  /** A phone of the customer was bound less than thirty days before it was opened. */
  readonly isSoonAfterAnother: boolean;
  worst: Report;
  /** Somebody objected, or fraud was signalled, and nobody has released it since. */
  isDoubted: boolean;
  /** It may never bind: vetoed, refused, taken back. */
  isStopped: boolean;
  /** The person had to be proved anew at this moment of the life. */
  provedAnewFrom: number;
  coolingFromMs: number | undefined;
  shortenedAtMs: number | undefined;
}

/** When a factor was first seen, and for which key. */
export interface FactorMemory {
  readonly moment: number;
  readonly jkt: string | null;
}

export interface Binding {
  readonly before: Facts;
  readonly after: Facts;
  readonly nowMs: number;
  readonly memory: CaseMemory;
  readonly factors: ReadonlyMap<string, FactorMemory>;
}

const GRAVITY: Readonly<Record<Report, number>> = { replaced: 0, broken: 0, lost: 1, stolen: 2 };
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const SEEN_BY_STAFF: readonly string[] = ['branch', 'video', 'document'];
const CHANNELS: Readonly<Record<string, string>> = {
  email_link: 'email',
  email_code: 'email',
  sms_link: 'phone',
  sms_code: 'phone',
  call_back: 'phone',
  verified_call: 'app',
};

export const graver = (one: Report, other: Report): Report =>
  GRAVITY[other] > GRAVITY[one] ? other : one;

const RISKS: Readonly<Record<RiskFound, number>> = { low: 0, not_evaluated: 1, medium: 1, high: 2 };

export const graverFound = (one: RiskFound, other: RiskFound): RiskFound =>
  RISKS[other] > RISKS[one] ? other : one;

const isSamePerson = (one: string, other: string | null): boolean =>
  one.toLowerCase() === other?.toLowerCase();

/** Every rule that was broken, in words. */
export function brokenByBinding(bound: CaseRow, binding: Binding): string[] {
  return [
    ...brokenStops(bound, binding),
    ...brokenProofs(bound, binding),
    ...brokenApprovals(bound, binding),
    ...brokenCooling(binding),
    ...brokenEpoch(bound, binding),
    ...brokenPhones(bound, binding),
  ];
}

const unless = (holds: boolean, rule: string): string[] => (holds ? [] : [rule]);

function brokenStops({ report }: CaseRow, { memory, before }: Binding): string[] {
  return [
    ...unless(!memory.isStopped, 'bound after it was vetoed, refused or taken back'),
    ...unless(!memory.isDoubted, 'bound while an objection or a signal of fraud stands'),
    ...unless(!before.isHeld, 'bound while the customer is on hold'),
    ...unless(
      GRAVITY[report] >= GRAVITY[memory.worst],
      'what was said of the old phone got better',
    ),
  ];
}

/** The person, for this key and since it was last asked for; and the contacts that count. */
function brokenProofs(bound: CaseRow, { before, after, memory, factors }: Binding): string[] {
  const mine = after.factors.filter(({ caseId, isVoid }) => caseId === bound.id && !isVoid);
  const proofs = mine.filter((factor) => isPersonProved(factor, bound, after));
  const fresh = proofs.filter(({ id, epoch }) => {
    const seen = factors.get(id);
    return epoch === bound.epoch && seen?.jkt === bound.jkt && seen.moment > memory.provedAnewFrom;
  });
  const isThieves = memory.worst === 'lost' || memory.worst === 'stolen';
  const channels = new Set(
    mine.flatMap(({ method, handset }) => {
      const channel = CHANNELS[method];
      const device = before.devices.find(({ id }) => id === handset);
      const isOnReported = channel === 'phone' && (isThieves || device?.isReported === true);
      return channel === undefined || isOnReported ? [] : [channel];
    }),
  );
  const takesTwo = memory.risk === 'high' || memory.isSoonAfterAnother;
  const isByStaff = fresh.some(({ method }) => SEEN_BY_STAFF.includes(method));
  return [
    ...unless(proofs.length > 0, 'bound without any proof of the person'),
    ...unless(
      fresh.length > 0,
      'the proof of the person is of another key, of another epoch, or from before it was asked for anew',
    ),
    ...unless(channels.size >= 1, 'bound without a contact that counts'),
    ...unless(
      !takesTwo || channels.size >= 2 || isByStaff,
      'bound with one contact where two are asked for',
    ),
  ];
}

function isPersonProved(factor: FactorRow, { id, jkt }: CaseRow, { attempts }: Facts): boolean {
  const { method, evidenceId, recordedEmployee, confirmedEmployee } = factor;
  if (method === 'liveness')
    return attempts.some(
      (attempt) =>
        attempt.caseId === id &&
        attempt.evidenceId === evidenceId &&
        attempt.verdict === 'passed' &&
        attempt.jkt === jkt,
    );
  if (recordedEmployee === null) return false;
  if (method === 'branch') return true;
  if (method !== 'video' && method !== 'document') return false;
  return confirmedEmployee !== null && !isSamePerson(confirmedEmployee, recordedEmployee);
}

function brokenApprovals(bound: CaseRow, { after, memory }: Binding): string[] {
  const mine = after.factors.filter(({ caseId }) => caseId === bound.id);
  const isByEvidence = mine.some(({ method }) => SEEN_BY_STAFF.includes(method));
  const isLow = memory.risk === 'low' && memory.worst !== 'stolen';
  const needed = isLow && !isByEvidence ? 1 : 2;
  const approvals = after.decisions.filter(
    ({ caseId, kind, isVoid, revision }) =>
      caseId === bound.id && kind === 'approve' && !isVoid && revision === bound.revision,
  );
  const people = new Set(approvals.map(({ employee }) => employee.toLowerCase()));
  const preparers = mine.flatMap(({ recordedEmployee }) => recordedEmployee ?? []);
  return [
    ...unless(
      people.size >= needed,
      `approved by ${String(people.size)} where ${String(needed)} are asked for`,
    ),
    ...unless(
      [...people].every((person) => !preparers.some((preparer) => isSamePerson(person, preparer))),
      'approved by somebody who prepared it',
    ),
    ...unless(
      [...people].every((person) => !isSamePerson(person, after.personId)),
      'approved by the customer',
    ),
  ];
}

function brokenCooling({ memory, nowMs }: Binding): string[] {
  const { risk, worst, isSoonAfterAnother, coolingFromMs, shortenedAtMs } = memory;
  const isLow = risk === 'low' && worst !== 'stolen';
  const byRisk = risk === 'high' ? 3 * DAY_MS : isLow ? HOUR_MS : DAY_MS;
  const floorMs = isSoonAfterAnother ? DAY_MS : HOUR_MS / 4;
  const dueMs = shortenedAtMs === undefined ? Math.max(byRisk, floorMs) : floorMs;
  const waitedMs = coolingFromMs === undefined ? -1 : (shortenedAtMs ?? nowMs) - coolingFromMs;
  return unless(
    waitedMs >= dueMs,
    `the owner had ${String(waitedMs)} ms to object instead of ${String(dueMs)}`,
  );
}

function brokenEpoch(bound: CaseRow, { before, after }: Binding): string[] {
  const cause = after.revocations.find(
    ({ reason, requestedBy, newEpoch }) =>
      reason === 'recovered' && requestedBy === bound.id && newEpoch === after.epoch,
  );
  return [
    ...unless(bound.epoch === before.epoch, 'bound under an old epoch'),
    ...unless(after.epoch === before.epoch + 1, 'the epoch was not raised by one'),
    ...unless(cause?.oldEpoch === before.epoch, 'no revocation says that it was raised'),
  ];
}

function brokenPhones(bound: CaseRow, { before, after }: Binding): string[] {
  const device = after.devices.find(({ id }) => id === bound.deviceId);
  const credential = after.credentials.find(({ id }) => id === bound.credentialId);
  const added = after.devices.filter(({ id }) => !before.devices.some((known) => known.id === id));
  const hadHardware = before.devices.some(({ level }) => level === 'hardware');
  return [
    ...unless(
      device?.status === 'trusted' && device.jkt === bound.jkt,
      'the phone is not the one of the case',
    ),
    ...unless(
      credential?.status === 'active' && credential.deviceId === bound.deviceId,
      'the passkey is not that of the phone',
    ),
    ...unless(added.length === 1 && added[0]?.id === bound.deviceId, 'another phone came with it'),
    ...unless(
      after.devices.every(({ id, status }) => id === bound.deviceId || status === 'revoked'),
      'an older phone outlives it',
    ),
    ...unless(
      after.credentials.every(
        ({ id, status }) => id === bound.credentialId || status === 'revoked',
      ),
      'an older passkey outlives it',
    ),
    ...unless(!hadHardware || device?.level === 'hardware', 'the account had a better phone'),
  ];
}
