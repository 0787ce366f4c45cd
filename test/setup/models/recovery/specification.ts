/**
 * The rules of account recovery as one customer's rows must keep them after every step, whatever was sent: what may bind a phone, what nothing else may
 * touch, and what stands until somebody releases it. It throws with every rule that is broken.
 */
import type { Report, RiskFound } from './actions.ts';
import {
  brokenByBinding,
  graver,
  graverFound,
  type CaseMemory,
  type FactorMemory,
} from './binding-rules.ts';
import type { CaseRow, Facts } from './facts.ts';

const SOON_MS = 30 * 24 * 3_600_000;

export interface Observation {
  readonly before: Facts;
  readonly after: Facts;
  readonly nowMs: number;
  /** The workflows have followed everything that the rows say. */
  readonly isFollowed: boolean;
  /** Of the customer by the fraud engine, or by an objection after the end. */
  readonly isCutOff: boolean;
}

export interface JoinedWith {
  readonly by: 'customer' | 'staff';
  readonly report: Report;
  readonly risk: RiskFound;
}

export class Specification {
  readonly #cases = new Map<string, CaseMemory>();
  readonly #factors = new Map<string, FactorMemory>();
  #moment = 0;
  #boundAtMs = -Infinity;

  /** A contact or a caller was proved: the case is there, or was joined. */
  joined(caseId: string, { by, report, risk }: JoinedWith, nowMs: number): void {
    const known = this.#cases.get(caseId);
    if (known !== undefined) {
      known.worst = graver(known.worst, report);
      // Staff ask no engine, so that their joining tells nothing of it.
      if (by === 'customer') known.risk = graverFound(known.risk, risk);
    } else
      this.#cases.set(caseId, {
        risk,
        isSoonAfterAnother: nowMs - this.#boundAtMs < SOON_MS,
        worst: report,
        isDoubted: false,
        isStopped: false,
        provedAnewFrom: -1,
        coolingFromMs: undefined,
        shortenedAtMs: undefined,
      });
  }

  doubted(caseId: string): void {
    this.#of(caseId).isDoubted = true;
  }

  stopped(caseId: string): void {
    this.#of(caseId).isStopped = true;
  }

  released(caseId: string): void {
    this.#of(caseId).isDoubted = false;
    this.provedAnew(caseId);
  }

  /** From here on no earlier proof of the person counts. */
  provedAnew(caseId: string): void {
    this.#of(caseId).provedAnewFrom = this.#moment;
  }

  shortened(caseId: string, nowMs: number): void {
    this.#of(caseId).shortenedAtMs = nowMs;
  }

  /** Call it after each step, with what the step was. @throws Error with the rules that were broken */
  judge(seen: Observation): void {
    this.#moment += 1;
    const { before, after, nowMs } = seen;
    const broken: string[] = [];
    if (after.cases.filter(({ outcome }) => outcome === null).length > 1)
      broken.push('two cases are open');
    const isNew = (one: CaseRow) =>
      one.outcome === 'completed' &&
      before.cases.find(({ id }) => id === one.id)?.outcome !== 'completed';
    const bound = after.cases.filter(isNew);
    this.#rememberFactors(after);
    for (const one of after.cases) broken.push(...this.#brokenCase(one, seen));
    for (const one of bound) {
      const memory = this.#of(one.id);
      broken.push(
        ...brokenByBinding(one, { before, after, nowMs, memory, factors: this.#factors }),
      );
      this.#boundAtMs = nowMs;
    }
    if (bound.length > 1) broken.push('two phones were bound at once');
    if (bound.length === 0) broken.push(...brokenPeace(seen));
    if (broken.length > 0) throw new Error(broken.join('; '));
  }

  #of(caseId: string): CaseMemory {
    const memory = this.#cases.get(caseId);
    if (memory === undefined) throw new Error('a case that nobody opened');
    return memory;
  }

  /** For which key: that of the case when it was recorded. */
  #rememberFactors({ factors, cases }: Facts): void {
    for (const { id, caseId } of factors)
      if (!this.#factors.has(id)) {
        const jkt = cases.find((one) => one.id === caseId)?.jkt ?? null;
        this.#factors.set(id, { moment: this.#moment, jkt });
      }
  }

  #brokenCase(one: CaseRow, { before, after, nowMs, isFollowed }: Observation): string[] {
    const memory = this.#of(one.id);
    const former = before.cases.find(({ id }) => id === one.id);
    const isOpen = one.outcome === null;
    if (one.state === 'cooling' && former?.state !== 'cooling') {
      memory.coolingFromMs = nowMs;
      memory.shortenedAtMs = undefined;
    }
    // Whatever goes back begins to wait anew.
    if (isOpen && one.state !== 'cooling' && one.state !== 'rebind')
      memory.coolingFromMs = undefined;
    const hasEnded = former !== undefined && former.outcome !== null;
    const isGoingOn = isOpen && one.state !== 'held' && one.state !== 'starting';
    const isBehind = one.epoch !== after.epoch || after.isHeld;
    return [
      ...(hasEnded && (one.state !== former.state || one.outcome !== former.outcome)
        ? ['a case that was over moved']
        : []),
      ...(isOpen && memory.isStopped ? ['a case that was stopped is open'] : []),
      ...(isOpen && memory.isDoubted && one.state !== 'held'
        ? ['a case that is doubted goes on']
        : []),
      ...(isFollowed && isGoingOn && nowMs >= one.overAtMs ? ['a case outlives its time'] : []),
      ...(isFollowed && isGoingOn && isBehind ? ['a case goes on behind a cut-off'] : []),
    ];
  }
}

/** Nothing was bound: phones, passkeys and epoch are what they were, but for what a cut-off suspends and raises. */
function brokenPeace({ before, after, isCutOff }: Observation): string[] {
  const phones = ({ devices, credentials }: Facts) =>
    JSON.stringify([
      devices.map(({ id, jkt, status }) => [id, jkt, status === 'revoked']),
      credentials.map(({ id, deviceId, status }) => [id, deviceId, status === 'revoked']),
    ]);
  const expected = before.epoch + (isCutOff ? 1 : 0);
  return [
    ...(phones(before) === phones(after) ? [] : ['phones or passkeys changed without a binding']),
    ...(after.epoch === expected ? [] : ['the epoch changed without a binding or a cut-off']),
  ];
}
