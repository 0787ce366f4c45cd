/**
 * One customer's life: carries out what was drawn and writes down what was called and answered. Requester and customer call the API; what proves is
 * handed in as the API does once it has verified it, a submission and an update of the real workflow, so that one can ring whenever it likes.
 */
import { vi } from 'vitest';
import type { Tx } from '../../../../db/connection.ts';
import { endRevokedRows } from '../../../../db/revocation.ts';
import { expireStepUps } from '../../../../db/step-up-ends.ts';
import { insertSubmission } from '../../../../db/step-submissions.ts';
import type { StepUpSubmissionStep } from '../../../../db/step-submissions.ts';
import { workflowId } from '../../../../domain/ids.ts';
import type { TemporalGateway } from '../../../../temporal/client.ts';
import { newId } from '../../../../adapters/random.ts';
import { cutOffCustomer, insertLiveSession, releaseCustomer } from '../../customer.ts';
import type { TestApi } from '../../api.ts';
import { approvalOf, payment, read, sentCode, STEP_UP_TOOLS } from '../../step-ups.ts';
import type { StepUpCustomer } from '../../step-ups.ts';
import type { Action, Amount, Requester } from './actions.ts';
import { enrollCustomer, renewToken } from './callers.ts';
import type { CustomersPhone, Services } from './callers.ts';
import { bodyOf, heard, heardOut } from './answers.ts';
import type { Call } from './calls.ts';

/** What a life is carried out with. */
export interface Ground {
  readonly api: TestApi;
  readonly services: Services;
  readonly tenantId: string;
  readonly gateway: TemporalGateway;
  readonly nowMs: () => number;
  readonly run: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;
}

const OTHER = { payments: 'cards', cards: 'payments' } as const;

type GoThrough = Extract<Action, { kind: 'go through' }>;

interface Asked {
  readonly id: string;
  readonly requester: Requester;
  readonly amount: Amount;
}

interface Opened {
  readonly id: string;
  readonly challenge: Uint8Array;
}

interface Signed {
  readonly id: string;
  readonly challenge: string;
  readonly sessionEpoch: number;
  readonly submissionId: string;
  readonly notAfterMs: number;
  readonly handedInAtMs: number;
}

/** A call before it is known when and with what it was answered. */
type Begun = Call extends infer One
  ? One extends Call
    ? Omit<One, 'nowMs' | 'invokedAt' | 'answeredAt' | 'answer'>
    : never
  : never;

export class Life {
  readonly calls: Call[] = [];
  private readonly ground: Ground;
  private readonly who: CustomersPhone;
  private readonly asked: Asked[] = [];
  private readonly opened: Opened[] = [];
  private readonly signed: Signed[] = [];
  private cut = { revocationId: '', newEpoch: 0 };
  private ticks = 0;
  private references = 0;

  private constructor(ground: Ground, who: CustomersPhone) {
    this.ground = ground;
    this.who = who;
  }

  static async begin(ground: Ground): Promise<Life> {
    return new Life(ground, await enrollCustomer(ground.api));
  }

  get customerId(): string {
    return this.who.customer.customerId;
  }

  private get customer(): StepUpCustomer {
    return this.who.customer;
  }

  /** Before a round: time stands still in it. */
  async renewTokens(): Promise<void> {
    const { api, services } = this.ground;
    await Promise.all([services.renew(), renewToken(api, this.who)]);
  }

  async act(action: Action): Promise<void> {
    switch (action.kind) {
      case 'ask':
        await this.ask(action.requester, action.reference, action.amount);
        return;
      case 'open': {
        const one = this.asked.at(-1 - action.back);
        if (one !== undefined) await this.open(one, action.locale);
        return;
      }
      case 'sign':
        await this.sign(action.back);
        return;
      case 'ring': {
        const signed = this.signed.at(-1 - action.back);
        if (signed !== undefined) await this.ring(signed, action.times);
        return;
      }
      case 'code': {
        const one = this.asked.at(-1 - action.back);
        if (one !== undefined) await this.code(one, action.code);
        return;
      }
      case 'deny': {
        const one = this.asked.at(-1 - action.back);
        if (one !== undefined) await this.end(one, action.reason);
        return;
      }
      case 'cancel': {
        const one = this.asked.at(-1 - action.back);
        if (one === undefined) return;
        await this.end(one, 'cancel', action.isOther ? OTHER[one.requester] : one.requester);
        return;
      }
      case 'consume': {
        const one = this.asked.at(-1 - action.back);
        if (one === undefined) return;
        const requester = action.isOther ? OTHER[one.requester] : one.requester;
        const amount = action.amount === 'right' ? one.amount : action.amount;
        await this.consume(one, requester, amount);
        return;
      }
      case 'cut off':
        await this.cutOff();
        return;
      case 'end rows':
        await this.endRows();
        return;
      case 'release':
        await this.release();
        return;
      case 'go through':
        await this.goThrough(action);
    }
  }

  /** Nothing else may be under way. */
  async sweep(): Promise<void> {
    const { tenantId } = this.ground;
    await this.call({ kind: 'sweep' }, async () => {
      await this.ground.run((tx) => expireStepUps(tx, { tenantId, limit: 100, graceSeconds: 0 }));
      return { isDone: true };
    });
  }

  look(answer: Extract<Call, { kind: 'look' }>['answer']): void {
    this.ticks += 2;
    const times = { nowMs: this.ground.nowMs(), invokedAt: this.ticks - 1, answeredAt: this.ticks };
    this.calls.push({ kind: 'look', ...times, answer });
  }

  private async goThrough({ requester, amount, upTo }: GoThrough): Promise<void> {
    this.references += 1;
    await this.ask(requester, this.references % 2 === 0 ? 'one' : 'two', amount);
    const one = this.asked.at(-1);
    if (one === undefined) return;
    await this.open(one, 'en');
    await this.sign(0);
    const signed = this.signed.at(-1);
    if (signed === undefined || upTo === 'signed') return;
    await this.ring(signed, 1);
    if (amount === '40000.00' && upTo === 'approved') await this.code(one, 'right');
  }

  private async ask(requester: Requester, reference: 'one' | 'two', amount: Amount) {
    const { tenantId, services, run } = this.ground;
    await this.call({ kind: 'ask', requester, reference, amount }, async () => {
      const request = { customerId: this.customerId, action: payment(amount), reference };
      const options = { idempotencyKey: newId('request') };
      const { stepUpId: id, required } = await heardOut(() =>
        services[requester].post('/step-ups', request, options),
      );
      await vi.waitFor(
        async () => {
          const row = await run((tx) => read(tx, tenantId, id));
          if (row.state === 'starting') throw new Error('its workflow has not opened it');
        },
        { timeout: 20_000, interval: 10 },
      );
      this.asked.push({ id, requester, amount });
      return { id, required };
    });
  }

  private async open({ id }: Asked, locale: 'en' | 'de'): Promise<void> {
    const { phone, epoch: sessionEpoch } = this.who;
    await this.call({ kind: 'open', id, locale, sessionEpoch }, async () => {
      const { preimage, challenge } = bodyOf(
        await phone.post(`/auth/step-ups/${id}/open`, { locale, context: NOTHING_ELSE }),
      );
      this.opened.push({ id, challenge: Buffer.from(challenge, 'base64url') });
      // The text is canonical JSON of an object with the action in it.
      const { action } = JSON.parse(preimage) as { action: { amount: string } };
      return { challenge, signs: minorAmount(action.amount) };
    });
  }

  private async sign(back: number): Promise<void> {
    const found = this.opened.at(-1 - back);
    if (found === undefined) return;
    const { id, challenge } = found;
    const payload = approvalOf(this.customer, { record: { stepUpId: id }, challenge });
    const handedInAtMs = this.ground.nowMs();
    const { epoch: sessionEpoch } = this.who;
    const handed = await this.submit(id, 'step_up_approval', payload);
    this.signed.push({
      id,
      challenge: base64url(challenge),
      sessionEpoch,
      handedInAtMs,
      ...handed,
    });
  }

  private async ring(signed: Signed, times: 1 | 2): Promise<void> {
    const { id, submissionId, notAfterMs, challenge, sessionEpoch, handedInAtMs } = signed;
    await this.call({ kind: 'ring', id, challenge, sessionEpoch, handedInAtMs }, async () => {
      // Each rings under an id of its own; one that is sent twice under the same.
      const update = this.update(id, 'approveStepUp', { submissionId, notAfterMs });
      await Promise.all(Array.from({ length: times }, update));
      return { isTaken: true };
    });
  }

  private async code(one: Asked, which: 'right' | 'wrong' | 'of another'): Promise<void> {
    const { run } = this.ground;
    const another = this.asked.find(({ id }) => id !== one.id);
    const [right, other] = await run(async (tx) => [
      await sentCode(tx, this.customer, one.id),
      await sentCode(tx, this.customer, another?.id ?? one.id),
    ]);
    const wrong = right === '000000' ? '000001' : '000000';
    const given = { right, wrong, 'of another': other }[which];
    const code = given === '' ? wrong : given;
    const isRight = code === right;
    await this.call({ kind: 'code', id: one.id, isRight }, async () => {
      const handed = await this.submit(one.id, 'step_up', { code });
      await this.update(one.id, 'submitStepUpCode', handed ?? '')();
      return { isTaken: true };
    });
  }

  private async end(
    { id }: Asked,
    kind: 'not_me' | 'declined' | 'cancel',
    requester?: Requester,
  ): Promise<void> {
    const { services } = this.ground;
    const { phone, epoch: sessionEpoch } = this.who;
    await this.call({ kind, id, requester, sessionEpoch }, async () => {
      if (requester === undefined)
        bodyOf(await phone.post(`/auth/step-ups/${id}/deny`, { reason: kind }));
      else bodyOf(await services[requester].post(`/step-ups/${id}/cancel`, {}));
      if (kind === 'not_me') await this.takeUpCut();
      return { isTaken: true };
    });
  }

  /** What it caused, as its workflow would read it. */
  private async takeUpCut(): Promise<void> {
    const [row] = await this.ground.run(
      (tx) => tx<{ revocationId: string; newEpoch: number }[]>`
        select revocation_id, new_epoch from revocation where customer_id = ${this.customerId} order by new_epoch desc limit 1`,
    );
    if (row !== undefined) this.cut = row;
  }

  private async consume({ id }: Asked, requester: Requester, amount: Amount): Promise<void> {
    const { services } = this.ground;
    await this.call({ kind: 'consume', id, requester, amount }, async () => {
      const { isRepeat, revokedSince } = bodyOf(
        await services[requester].post(`/step-ups/${id}/consume`, { action: payment(amount) }),
      );
      return { isRepeat, isRevokedSince: revokedSince !== undefined };
    });
  }

  private async cutOff(): Promise<void> {
    await this.call({ kind: 'cut off' }, async () => {
      const cut = await this.ground.run((tx) => cutOffCustomer(tx, this.customer));
      if (cut !== undefined) this.cut = cut;
      return { isDone: true };
    });
  }

  private async endRows(): Promise<void> {
    const { tenantId, run } = this.ground;
    const { revocationId, newEpoch } = this.cut;
    if (newEpoch === 0) return;
    await this.call({ kind: 'end rows', newEpoch }, async () => {
      await run((tx) => endRevokedRows(tx, { tenantId, revocationId }));
      return { isDone: true };
    });
  }

  /** The hold is lifted and the customer logs in anew. */
  private async release(): Promise<void> {
    const { run } = this.ground;
    await this.call({ kind: 'release' }, async () => {
      await run((tx) => releaseCustomer(tx, this.customer));
      return { isDone: true };
    });
    const { epoch, sessionId } = await run(async (tx) => {
      const [row] = await tx<{ epoch: number }[]>`
        select security_epoch as epoch from customer where customer_id = ${this.customerId} for share`;
      const under = row?.epoch ?? 0;
      return {
        epoch: under,
        sessionId: await insertLiveSession(tx, this.customer, { epoch: under }),
      };
    });
    this.who.customer = { ...this.customer, sessionId };
    this.who.epoch = epoch;
    await renewToken(this.ground.api, this.who);
  }

  private async submit(ceremonyId: string, step: StepUpSubmissionStep, payload: object) {
    const { tenantId, run } = this.ground;
    const submissionId = newId('submission');
    const { notAfterMs } = await run((tx) =>
      insertSubmission(tx, STEP_UP_TOOLS.personalData, {
        tenantId,
        ceremonyId,
        customerId: this.customerId,
        submissionId,
        step,
        payload,
        notAfterSeconds: SUBMISSION_SECONDS,
      }),
    );
    return { submissionId, notAfterMs };
  }

  /** Each time it is called, the same update is sent. */
  private update(id: string, name: string, handle: object): () => Promise<void> {
    const { tenantId, gateway } = this.ground;
    const updateId = newId('request');
    return async () => {
      // The handle's shape is the API's own: submissionId and notAfterMs.
      await gateway.update(workflowId('step_up', tenantId, id), name, [handle as never], updateId);
    };
  }

  private async call(begun: Begun, work: () => Promise<object>): Promise<void> {
    this.ticks += 1;
    const invokedAt = this.ticks;
    const answer = await work().catch(heard);
    this.ticks += 1;
    const answeredAt = answer === undefined ? Infinity : this.ticks;
    const times = { nowMs: this.ground.nowMs(), invokedAt, answeredAt };
    // Each kind's work answers what its own call is answered.
    this.calls.push({ ...begun, ...times, answer } as Call);
  }
}

export const SUBMISSION_SECONDS = 30;

const NOTHING_ELSE = { onCall: false, screenShared: false, accessibilityService: false };

/** As the amounts of this model are written. */
const minorAmount = (amount: string) => Number(amount).toFixed(2);

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}
