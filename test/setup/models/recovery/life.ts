/**
 * One customer's life: carries out what was drawn, by the stores' own transactions on PostgreSQL, and has the specification judge the rows after each
 * step. Everything may be refused with a code of the catalogue; any other error ends the life.
 */
import { newId } from '../../../../adapters/random.ts';
import { pendingRecoveryFact } from '../../../../db/recovery-facts.ts';
import { createRecoveryStore } from '../../../../db/recovery-store.ts';
import { LatchkeyError } from '../../../../domain/errors.ts';
import { dueEvent, transition, type RecoveryEvent } from '../../../../domain/recovery.ts';
import type { RecoveryRows } from '../../beds/recovery-rows.ts';
import {
  newKey,
  read,
  RECOVERY_TOOLS,
  submitPasskey,
  type RecoverableCustomer,
} from '../../recoveries.ts';
import { insertStaff, type SeededStaff } from '../../rows/staff-rows.ts';
import { DESK, HANDS, type Colleague, type Hand, type Report } from './actions.ts';
import { readFacts, type CaseRow, type Facts } from './facts.ts';
import { Specification, type JoinedWith } from './specification.ts';

export interface Asked {
  readonly requestId: string;
  readonly jkt: string;
  readonly report: Report;
}

export interface Checked {
  readonly attemptId: string;
  readonly caseId: string;
  readonly jkt: string;
  readonly vendorSession: string;
}

/** What is to be done, and whether the workflow is rung after it. */
interface Doing<T> {
  readonly what: string;
  readonly isFollowed: boolean;
  readonly isCutOff?: (answer: T | undefined) => boolean;
}

export class Life {
  readonly rows: RecoveryRows;
  readonly customer: RecoverableCustomer;
  readonly rules = new Specification();
  readonly asked: Asked[] = [];
  readonly checked: Checked[] = [];
  /** What was done and answered, for whoever reads a failure. */
  readonly story: string[] = [];
  readonly ownersKeys = new Set<string>();
  /** Cases in which somebody of the desk said that he saw the owner, and did not. */
  readonly lied = new Set<string>();
  facts: Facts;
  private readonly keys = new Map<Hand, string>();
  private readonly desk: ReadonlyMap<Colleague, SeededStaff>;
  private readonly tally: Map<string, number>;

  private constructor(
    rows: RecoveryRows,
    begun: {
      customer: RecoverableCustomer;
      desk: ReadonlyMap<Colleague, SeededStaff>;
      facts: Facts;
    },
    tally: Map<string, number>,
  ) {
    this.rows = rows;
    this.customer = begun.customer;
    this.desk = begun.desk;
    this.facts = begun.facts;
    this.tally = tally;
  }

  static async begin(rows: RecoveryRows, tally: Map<string, number>): Promise<Life> {
    const customer = await rows.customer();
    return await rows.run(async (tx) => {
      const facts = await readFacts(tx, customer.customerId);
      const ana = `Ana-${customer.customerId.slice(-12)}`;
      const employees: Partial<Record<Colleague, string>> = {
        ana,
        'ana too': ana.toUpperCase(),
        'the customer': facts.personId ?? '',
      };
      const desk = new Map<Colleague, SeededStaff>();
      for (const name of DESK) {
        const employeeId = employees[name];
        const roles =
          name === 'ana' || name === 'ben' ? (['agent'] as const) : (['supervisor'] as const);
        desk.set(
          name,
          await insertStaff(
            tx,
            rows.tenantId,
            employeeId === undefined ? { roles } : { roles, employeeId },
          ),
        );
      }
      return new Life(rows, { customer, desk, facts }, tally);
    });
  }

  get open(): CaseRow | undefined {
    return this.facts.cases.find(({ outcome }) => outcome === null);
  }

  /** The open one, or else the latest. */
  get latest(): CaseRow | undefined {
    return this.open ?? this.facts.cases.at(-1);
  }

  subject(caseId: string) {
    return { tenantId: this.rows.tenantId, recoveryId: caseId };
  }

  staff(name: Colleague): SeededStaff {
    const seeded = this.desk.get(name);
    if (seeded === undefined) throw new TypeError('everybody of the desk has an account');
    return seeded;
  }

  /** Of the phone in that hand: a new one once the last was bound. */
  key(hand: Hand): string {
    const known = this.keys.get(hand);
    if (known !== undefined && this.facts.devices.every(({ jkt }) => jkt !== known)) return known;
    const key = newKey();
    this.keys.set(hand, key);
    if (hand === 'owner' || hand === 'spare') this.ownersKeys.add(key);
    return key;
  }

  handOf(jkt: string | null): string {
    if (jkt === null) return 'nobody';
    return HANDS.find((hand) => this.keys.get(hand) === jkt) ?? 'an older phone';
  }

  noteJoined(caseId: string, joinedWith: JoinedWith): void {
    this.rules.joined(caseId, joinedWith, this.rows.nowMs);
  }

  count(what: string): void {
    this.tally.set(what, (this.tally.get(what) ?? 0) + 1);
  }

  /** One step and its judgement. Answers undefined where it was refused. */
  async step<T>(doing: Doing<T>, work: () => Promise<T>): Promise<T | undefined> {
    const { what, isFollowed, isCutOff } = doing;
    const before = this.facts;
    const { answer, refused } = await this.#attempted(what, work);
    this.count(refused === undefined ? `did ${what}` : `refused ${refused}`);
    if (isFollowed) await this.follow();
    this.facts = await this.rows.run((tx) => readFacts(tx, this.customer.customerId));
    const said = this.facts.cases.map(
      ({ state, reason, jkt }) => `${reason ?? state} of ${this.handOf(jkt)}`,
    );
    this.story.push(
      `${what}${isFollowed ? '' : ' (unheard)'}: ${refused ?? 'done'} → ${said.join(', ')}`,
    );
    this.#countMoves(before);
    this.rules.judge({
      before,
      after: this.facts,
      nowMs: this.rows.nowMs,
      isFollowed,
      isCutOff: isCutOff?.(answer) ?? false,
    });
    this.#judgeOwner();
    return answer;
  }

  /** With a vendor and a desk that do not lie nobody but the owner comes to a phone. */
  #judgeOwner(): void {
    for (const { id, outcome, jkt } of this.facts.cases)
      if (
        outcome === 'completed' &&
        !this.lied.has(id) &&
        (jkt === null || !this.ownersKeys.has(jkt))
      )
        throw new Error('somebody else was bound');
  }

  async #attempted<T>(
    what: string,
    work: () => Promise<T>,
  ): Promise<{ answer?: T; refused?: string }> {
    try {
      return { answer: await work() };
    } catch (error) {
      if (error instanceof LatchkeyError) return { refused: error.code };
      this.story.push(`${what}: ${String(error)}`);
      throw error;
    }
  }

  #countMoves(before: Facts): void {
    for (const { id, state, reason } of this.facts.cases) {
      const former = before.cases.find((one) => one.id === id);
      if (former?.state !== state)
        this.count(`came to ${state === 'ended' ? (reason ?? '') : state}`);
    }
  }

  /** As the workflow looks at its rows when it is rung: what they say, then the clock, until nothing more follows or it is refused. */
  async follow(): Promise<void> {
    const { rows } = this;
    const open = await rows.run(
      async (tx) =>
        await tx<{ recoveryId: string }[]>`
        select ceremony_id as recovery_id from ceremony where customer_id = ${this.customer.customerId} and kind = 'recovery' and outcome is null`,
    );
    for (const { recoveryId } of open)
      for (let round = 0; ; round += 1) {
        if (round === 20) throw new Error('a case never comes to rest');
        const record = await rows.run((tx) => read(tx, this.subject(recoveryId)));
        const fact =
          record.state === 'starting'
            ? 'opened'
            : ((await rows.run((tx) => pendingRecoveryFact(tx, record))) ??
              dueEvent(record, record.nowMs));
        if (fact === undefined || !(await this.report(recoveryId, fact, null))) break;
      }
  }

  /** What Temporal says to the rows. What the rows say instead is followed, as the workflow does. Answers whether anything moved. */
  async report(
    caseId: string,
    event: RecoveryEvent,
    submissionId: string | null,
  ): Promise<boolean> {
    const subject = this.subject(caseId);
    const { state, seq, ...row } = await this.rows.run((tx) => read(tx, subject));
    const next = transition({ ...row, state }, event, row.nowMs);
    const to = 'move' in next ? next.move.state : state;
    const store = createRecoveryStore(this.rows.database, RECOVERY_TOOLS);
    const advanced = await store.advance({
      ...subject,
      from: { state, seq },
      event,
      to,
      submissionId,
    });
    if ('refused' in advanced) {
      this.count(`refused ${advanced.refused}`);
      return false;
    }
    // The submission belongs to what was handed in alone.
    if ('fact' in advanced) return await this.report(caseId, advanced.fact, null);
    return advanced.snapshot.seq > seq;
  }

  /** A phone hands in its passkey for a case, and the workflow tells the rows. */
  async bind(
    caseId: string,
    jkt: string,
    attestationLevel: 'software' | 'hardware',
    event: RecoveryEvent = 'rebound',
  ) {
    const phone = { ...this.customer, newJkt: jkt };
    const submissionId = await this.rows.run((tx) =>
      submitPasskey(tx, phone, this.subject(caseId), {
        attestationLevel,
        approvalJkt: newId('request'),
      }),
    );
    return await this.report(caseId, event, submissionId);
  }
}
