/** Requests for recovery: what anybody may send, and what a code, a link and a number prove once. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createEmbeddedKms } from '../../../adapters/kms/embedded.ts';
import { newId } from '../../../adapters/random.ts';
import type { Tx } from '../../../db/connection.ts';
import { createRecoveryLinks } from '../../../db/recovery-links.ts';
import {
  checkNumberOf,
  proveRequestByCode,
  proveRequestByLink,
  requestMessage,
  requestOwner,
} from '../../../db/recovery-requests.ts';
import { createSweepPort } from '../../../db/sweeping.ts';
import { createRecoveryRequestDelivery } from '../../../relay/recovery-requests.ts';
import { DEFAULT_POLICY } from '../../../domain/policy.ts';
import type { Risk } from '../../../domain/ports.ts';
import type { RecoverySubject } from '../../../domain/recovery.ts';
import { RecoveryRows } from '../../setup/beds/recovery-rows.ts';
import {
  newKey,
  opened,
  prove,
  read,
  RECOVERY_TOOLS,
  request,
  rightCode,
} from '../../setup/recoveries.ts';
import type { RecoverableCustomer, Run } from '../../setup/recoveries.ts';

const MINUTE = 60_000;
const { maxWrong } = DEFAULT_POLICY.otp;
const { personalData, otpCodes } = RECOVERY_TOOLS;

let rows: RecoveryRows;
let tenantId: string;
let customer: RecoverableCustomer;

beforeAll(async () => {
  rows = await RecoveryRows.open();
  ({ tenantId } = rows);
});
afterAll(async () => {
  await rows.close();
});
beforeEach(async () => {
  customer = await rows.customer();
});

const run: Run = (work) => rows.run(work);
const refused = (code: string) => expect.objectContaining({ code });
const guess = (requestId: string, code?: string, jkt = customer.newJkt) =>
  run((tx) => prove(tx, customer, requestId, jkt, code));
const wrongCode = (requestId: string) => (rightCode(requestId) === '000000' ? '000001' : '000000');
const cases = () =>
  run((tx) => tx`select 1 from recovery where customer_id = ${customer.customerId}`);
const nobody = { kind: 'email', value: 'nobody@example.test' } as const;

/** The text of every statement, without its values. */
function listened(tx: Tx, heard: string[]): Tx {
  return new Proxy(tx, {
    apply: (target, self, args) => {
      const [strings] = args as readonly unknown[];
      if (Array.isArray(strings)) heard.push(strings.join('?'));
      return Reflect.apply(target, self, args) as unknown;
    },
  });
}

describe('a request', () => {
  it('runs the same statements whether or not somebody has the contact, and names nobody', async () => {
    const known: string[] = [];
    const unknown: string[] = [];
    await run((tx) => request(listened(tx, known), customer));
    await run((tx) => request(listened(tx, unknown), customer, { contact: nobody, jkt: newKey() }));
    expect(unknown).toEqual(known);
    expect(known.length).toBeGreaterThan(3);
    expect(known.join()).not.toMatch(/from contact|from customer/);
  });

  it('restricts nothing, opens nothing and tells nobody', async () => {
    await run((tx) => request(tx, customer, { report: 'stolen' }));
    expect(await cases()).toHaveLength(0);
    const [device] = await run(
      (tx) => tx`select status from device where device_id = ${customer.deviceId}`,
    );
    expect(device).toMatchObject({ status: 'trusted' });
  });

  it('of one contact is made five times, then one an hour, by whomever and for whomever', async () => {
    for (const contact of [
      { kind: 'email', value: customer.email } as const,
      { kind: 'email', value: newId('request') } as const,
    ]) {
      const ask = () => run((tx) => request(tx, customer, { contact, jkt: newKey() }));
      for (let index = 0; index < DEFAULT_POLICY.recovery.requestsPerContact; index += 1)
        await ask();
      await expect(ask()).rejects.toEqual(refused('too_many_requests'));
    }
  });

  it('is superseded by a newer one of the same phone alone', async () => {
    const first = await run((tx) => request(tx, customer));
    const stranger = newKey();
    const others = await run((tx) => request(tx, customer, { jkt: stranger }));
    await run((tx) => request(tx, customer));
    await expect(guess(first)).rejects.toEqual(refused('code_expired'));
    expect(await guess(first, wrongCode(first))).toEqual({ result: 'expired' });
    expect(await guess(others, undefined, stranger)).toMatchObject({ result: 'proved' });
  });

  it('is forgotten a day after its time, and after a quarter where it opened a case', async () => {
    const idle = await run((tx) => request(tx, customer));
    const other = newKey();
    const used = await run((tx) => request(tx, customer, { jkt: other }));
    await guess(used, undefined, other);
    const left = async () => [
      ...(await run(
        (tx) => tx`select request_id from recovery_request where request_id = any(${[idle, used]})`,
      )),
    ];
    const startMs = rows.nowMs;
    const sweptAfterDays = async (days: number) => {
      rows.nowMs = startMs + (days * 24 + 2) * 60 * MINUTE;
      await createSweepPort(rows.database, personalData).sweepTenant(tenantId);
      return await left();
    };
    try {
      expect(await sweptAfterDays(0)).toHaveLength(2);
      expect(await sweptAfterDays(1)).toEqual([{ requestId: used }]);
      expect(await sweptAfterDays(90)).toEqual([]);
    } finally {
      rows.nowMs = startMs;
    }
  });
});

describe('the message', () => {
  it('goes to whoever has the contact, with a code and a link and never the number that the phone shows', async () => {
    const sent: { to: string; text: string }[] = [];
    const keep = (message: { to: string; text: string }) => {
      sent.push(message);
      return Promise.resolve();
    };
    const deliver = createRecoveryRequestDelivery({
      message: (tenant, requestId) =>
        run((tx) => requestMessage(tx, personalData, { tenantId: tenant, requestId })),
      otpCodes,
      link: ({ requestId }) => `https://bank.example/#${requestId}`,
      sms: { send: keep },
      email: { send: keep },
    });
    const byEmail = await run((tx) => request(tx, customer));
    const byPhone = await run((tx) =>
      request(tx, customer, { contact: { kind: 'phone', value: customer.phone } }),
    );
    const toNobody = await run((tx) => request(tx, customer, { contact: nobody }));
    for (const requestId of [byEmail, byPhone, toNobody])
      await deliver(tenantId, requestId, 'reference');
    expect(sent.map(({ to }) => to)).toEqual([customer.email, customer.phone]);
    for (const [index, requestId] of [byEmail, byPhone].entries()) {
      const { text } = sent[index] ?? { text: '' };
      expect(text).toContain(rightCode(requestId));
      expect(text).toContain(`https://bank.example/#${requestId}`);
      const words = text.replaceAll(rightCode(requestId), '').replaceAll(requestId, '');
      expect(words).not.toContain(checkNumberOf(otpCodes, requestId));
    }
  });

  it('is not sent once the request is over', async () => {
    const requestId = await run((tx) => request(tx, customer));
    await guess(requestId);
    expect(
      await run((tx) => requestMessage(tx, personalData, { tenantId, requestId })),
    ).toBeUndefined();
  });
});

describe('a code', () => {
  it('opens a case once, and says so when it is shown again', async () => {
    const requestId = await run((tx) => request(tx, customer));
    const proof = await guess(requestId);
    expect(proof).toMatchObject({ result: 'proved', joined: false, isItsPhone: true });
    await expect(guess(requestId)).rejects.toEqual(refused('code_expired'));
    expect(await guess(requestId, wrongCode(requestId))).toEqual({ result: 'used' });
    expect(await cases()).toHaveLength(1);
  });

  it('that is wrong is counted, and the last one ends the request for the right one too', async () => {
    const requestId = await run((tx) => request(tx, customer));
    for (let left = maxWrong - 1; left > 0; left -= 1)
      expect(await guess(requestId, wrongCode(requestId))).toEqual({
        result: 'wrong',
        attemptsLeft: left,
      });
    expect(await guess(requestId, wrongCode(requestId))).toEqual({ result: 'exhausted' });
    await expect(guess(requestId)).rejects.toEqual(refused('code_expired'));
    expect(await cases()).toHaveLength(0);
  });

  it('is guessed in parallel no more often than one after the other', async () => {
    const requestId = await run((tx) => request(tx, customer));
    const guesses = await Promise.all(
      Array.from({ length: 20 }, () => guess(requestId, wrongCode(requestId))),
    );
    const judged = guesses.filter(({ result }) => result === 'wrong');
    expect(judged).toHaveLength(maxWrong - 1);
    const [row] = await run(
      (tx) => tx`select wrong_codes, status from recovery_request where request_id = ${requestId}`,
    );
    expect(row).toMatchObject({ wrongCodes: maxWrong, status: 'exhausted' });
  });

  it('shown by two at once is spent once', async () => {
    const requestId = await run((tx) => request(tx, customer));
    const both = await Promise.allSettled([guess(requestId), guess(requestId)]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(await cases()).toHaveLength(1);
    const [row] = await run(
      (tx) =>
        tx<
          { recoveryId: string }[]
        >`select recovery_id from recovery_request where request_id = ${requestId}`,
    );
    const subject = { tenantId, recoveryId: row?.recoveryId ?? '' };
    expect((await run((tx) => read(tx, subject))).ledger).toHaveLength(1);
  });

  it('is worth nothing with another key, after its time, and for a contact that nobody has', async () => {
    const requestId = await run((tx) => request(tx, customer));
    await expect(guess(requestId, undefined, newKey())).rejects.toEqual(
      refused('recovery_request_not_found'),
    );
    const unknown = await run((tx) => request(tx, customer, { contact: nobody }));
    expect(await guess(unknown)).toEqual({ result: 'wrong', attemptsLeft: maxWrong - 1 });
    const startMs = rows.nowMs;
    try {
      rows.nowMs += DEFAULT_POLICY.recovery.linkSeconds * 1000;
      await expect(guess(requestId)).rejects.toEqual(refused('code_expired'));
      rows.nowMs -= 1;
      expect(await guess(requestId)).toMatchObject({ result: 'proved' });
    } finally {
      rows.nowMs = startMs;
    }
  });
});

describe('what the risk engine thinks of a later proof', () => {
  const proveWith = async (risk: Risk, jkt = customer.newJkt) => {
    const contact = { kind: 'phone', value: customer.phone } as const;
    const requestId = await run((tx) => request(tx, customer, { jkt, contact }));
    const code = rightCode(requestId);
    const proof = { tenantId, requestId, jkt, code, risk };
    await run((tx) => proveRequestByCode(tx, RECOVERY_TOOLS, proof));
  };
  const taken = async (subject: RecoverySubject) => {
    const { risk, requirement } = await run((tx) => read(tx, subject));
    return { risk, ...requirement };
  };
  const HIGH = {
    risk: 'high',
    people: 2,
    coolingSeconds: DEFAULT_POLICY.recovery.coolingHighSeconds,
    ledger: expect.objectContaining({ contacts: 2 }),
  };

  it('adds to what the case takes, whichever phone proves it', async () => {
    const subject = await opened(run, customer);
    expect(await taken(subject)).toMatchObject({ risk: 'low', people: 1 });
    await proveWith('high');
    expect(await taken(subject)).toMatchObject(HIGH);
    await proveWith('low', newKey());
    expect(await taken(subject)).toMatchObject(HIGH);
  });

  it('counts as medium where the engine is silent, and never takes anything away', async () => {
    const subject = await opened(run, customer);
    await proveWith('not_evaluated');
    expect(await taken(subject)).toMatchObject({ risk: 'not_evaluated', people: 2 });
    await proveWith('low');
    expect(await taken(subject)).toMatchObject({ risk: 'not_evaluated', people: 2 });
  });
});

describe('a link', () => {
  const links = createRecoveryLinks(
    createEmbeddedKms([{ kid: 'k1', key: new Uint8Array(32).fill(7) }]),
  );
  const follow = (requestId: string, checkNumber: string) =>
    run((tx) =>
      proveRequestByLink(tx, RECOVERY_TOOLS, { tenantId, requestId, checkNumber, risk: 'low' }),
    );

  it('is read only as it was made, and only for its tenant', () => {
    const requestId = newId('recoveryRequest');
    const token = links.make(tenantId, requestId);
    expect(links.read(tenantId, token)).toBe(requestId);
    for (const other of [
      links.make(newId('tenant'), requestId),
      `${token}=`,
      `${token} `,
      token.slice(0, -2),
      `B${token.slice(1)}`,
      '',
    ])
      expect(links.read(tenantId, other)).toBeUndefined();
  });

  it('proves with the number that the asking phone shows, on whatever device it was opened', async () => {
    const requestId = await run((tx) => request(tx, customer));
    const proof = await follow(requestId, checkNumberOf(otpCodes, requestId));
    expect(proof).toMatchObject({ result: 'proved' });
    const [row] = await run(
      (tx) =>
        tx<
          { recoveryId: string }[]
        >`select recovery_id from recovery_request where request_id = ${requestId}`,
    );
    const record = await run((tx) => read(tx, { tenantId, recoveryId: row?.recoveryId ?? '' }));
    expect(record).toMatchObject({ jkt: customer.newJkt });
    expect(record.ledger).toMatchObject([{ method: 'email_link', evidenceId: requestId }]);
  });

  it('bounds the numbers tried, apart from the codes', async () => {
    const requestId = await run((tx) => request(tx, customer));
    const right = checkNumberOf(otpCodes, requestId);
    const wrong = right === '0000' ? '0001' : '0000';
    await guess(requestId, wrongCode(requestId));
    for (let left = maxWrong - 1; left > 0; left -= 1)
      expect(await follow(requestId, wrong)).toEqual({ result: 'wrong', attemptsLeft: left });
    expect(await follow(requestId, wrong)).toEqual({ result: 'exhausted' });
    await expect(follow(requestId, right)).rejects.toEqual(refused('code_expired'));
  });

  it('of an unknown request is not found', async () => {
    await expect(follow(newId('recoveryRequest'), '0000')).rejects.toEqual(
      refused('recovery_request_not_found'),
    );
  });

  it('names its owner to the risk engine alone', async () => {
    const requestId = await run((tx) => request(tx, customer));
    const unknown = await run((tx) => request(tx, customer, { contact: nobody, jkt: newKey() }));
    expect(await run((tx) => requestOwner(tx, { tenantId, requestId }))).toBe(customer.customerId);
    expect(await run((tx) => requestOwner(tx, { tenantId, requestId: unknown }))).toBeUndefined();
  });
});
