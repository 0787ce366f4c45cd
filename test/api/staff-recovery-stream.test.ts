/** The bell of a case and its signed record at the operations door: rung at every change, silent once the session has ended, and nothing altered. */
import { request as httpRequest } from 'node:http';
import type { ClientRequest } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { STAFF_COOKIE } from '../../api/staff/cookies.ts';
import { createRecoveryStreams } from '../../api/streams/recovery-stream.ts';
import { verifyReceipt } from '../../sdk/receipt/receipt.ts';
import { statementOf } from '../../sdk/receipt/statement.ts';
import { startTestApi } from '../setup/api.ts';
import type { TestApi } from '../setup/api.ts';
import { bankSigner } from '../setup/receipt.ts';
import {
  follow,
  insertRecoverable,
  proved,
  RECOVERY_TOOLS,
  type Run,
} from '../setup/recoveries.ts';
import { createStaff } from '../setup/staff.ts';
import type { Staff } from '../setup/staff.ts';

const PATIENCE = { timeout: 10_000 };
let api: TestApi;
let open: ClientRequest[] = [];
const run: Run = (work) => api.inTenant(work);
beforeAll(async () => {
  const { personalData, otpCodes } = RECOVERY_TOOLS;
  api = await startTestApi({ dependencies: { receiptSigner: bankSigner, personalData, otpCodes } });
});
afterEach(() => {
  for (const request of open) request.destroy();
  open = [];
});
afterAll(() => api.close());

async function review(): Promise<string> {
  const one = await run((tx) => insertRecoverable(tx, api.tenantId));
  return (await proved(run, one)).recoveryId;
}

interface Heard {
  readonly events: { readonly event: string; readonly data: unknown }[];
  isOver: boolean;
}

async function listen({ token }: Staff, recoveryId: string): Promise<Heard> {
  const heard: Heard = { events: [], isOver: false };
  await new Promise<void>((resolve, reject) => {
    const request = httpRequest(
      {
        host: '127.0.0.1',
        port: api.operations.port,
        path: `${api.prefix}/staff/recoveries/${recoveryId}/stream`,
        headers: { cookie: `${STAFF_COOKIE}=${token}` },
        agent: false,
      },
      (response) => {
        expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
        response.setEncoding('utf8');
        response.on('data', (text: string) => {
          for (const [, event = '', data = ''] of text.matchAll(/event: (.+)\ndata: (.+)\n\n/g))
            heard.events.push({ event, data: JSON.parse(data) });
        });
        response.on('error', () => undefined);
        response.on('end', () => {
          heard.isOver = true;
        });
        resolve();
      },
    );
    request.on('error', reject);
    request.end();
    open.push(request);
  });
  return heard;
}

const rings = ({ events }: Heard) => events.filter(({ event }) => event === 'recovery');

describe('the bell of a case', () => {
  test('rings at once and at every change, and says no more than that', async () => {
    const [agent, other] = [await createStaff(api, ['agent']), await createStaff(api, ['auditor'])];
    const recoveryId = await review();
    const heard = await listen(other, recoveryId);
    await expect.poll(() => rings(heard).length, PATIENCE).toBe(1);
    expect(Object.keys(rings(heard)[0]?.data ?? {}).toSorted()).toEqual(['revision', 'seq']);
    // A claim raises no revision, and is a change all the same; a look is none.
    await other.get(`/staff/recoveries/${recoveryId}`);
    await agent.post(`/staff/recoveries/${recoveryId}/claim`, {});
    await expect.poll(() => rings(heard).length, PATIENCE).toBe(2);
    const decision = { kind: 'refuse', revision: 0, reason: 'other' };
    await agent.post(`/staff/recoveries/${recoveryId}/decisions`, decision);
    await expect.poll(() => rings(heard).length, PATIENCE).toBe(3);
    expect((await follow(run, { tenantId: api.tenantId, recoveryId })).state).toBe('ended');
  });

  test('says every fifteen seconds that the session stands, and ends with it', async () => {
    const [one, leaver] = [await createStaff(api, ['agent']), await createStaff(api, ['agent'])];
    const recoveryId = await review();
    const [heard, left] = [await listen(one, recoveryId), await listen(leaver, recoveryId)];
    await expect.poll(() => rings(left).length, PATIENCE).toBe(1);
    await leaver.post('/staff/logout', {});
    expect(heard.events.some(({ event }) => event === 'beat')).toBe(false);
    api.clock.advance(15_000);
    await expect.poll(() => left.isOver, PATIENCE).toBe(true);
    await expect
      .poll(() => heard.events.some(({ event }) => event === 'beat'), PATIENCE)
      .toBe(true);
    expect(heard.isOver).toBe(false);
  });

  test('is not kept awake by listening, and needs a role that may look', async () => {
    const idle = await createStaff(api, ['agent']);
    const demoted = await createStaff(api, ['agent']);
    const recoveryId = await review();
    const [heard, lost] = [await listen(idle, recoveryId), await listen(demoted, recoveryId)];
    await expect.poll(() => rings(lost).length, PATIENCE).toBe(1);
    await run(
      (tx) => tx`update staff set roles = '{administrator}' where staff_id = ${demoted.staffId}`,
    );
    api.clock.advance(15_000);
    await expect.poll(() => lost.isOver, PATIENCE).toBe(true);
    expect(heard.isOver).toBe(false);
    api.clock.advance(15 * 60_000);
    await expect.poll(() => heard.isOver, PATIENCE).toBe(true);
  });

  test('takes no more listeners than a process can serve, and ends them all when it closes', async () => {
    const source = {
      marks: () => Promise.resolve([]),
      mayLook: () => Promise.resolve(new Set<string>()),
    };
    let isClosing = false;
    const streams = createRecoveryStreams({
      source,
      clock: api.clock,
      isClosing: () => isClosing,
      onError: () => undefined,
      maxListeners: 1,
    });
    const who = { tenantId: 'ten_1', recoveryId: 'cer_1', staffSessionId: 'sts_1' };
    const listening = streams.listen(who);
    expect(streams.listen(who)).toBeUndefined();
    isClosing = true;
    const frames: string[] = [];
    for await (const frame of listening?.frames ?? []) frames.push(frame);
    expect(frames).toEqual([': open\n\n']);
  });
});

describe('the record of a case', () => {
  test('is signed by the bank’s receipt key to the last comma, and each reading is noted', async () => {
    const [auditor, agent] = [
      await createStaff(api, ['auditor']),
      await createStaff(api, ['agent']),
    ];
    const recoveryId = await review();
    const { status, body, headers } = await auditor.get(`/staff/recoveries/${recoveryId}/record`);
    expect(status).toBe(200);
    expect(headers['content-disposition']).toContain(`${recoveryId}.json`);
    expect(body).toMatchObject({
      type: 'latchkey-recovery-record',
      recoveryId,
      state: 'review',
      evidence: [
        { method: 'email_code', kind: 'contact', strength: 1 },
        { method: 'liveness', kind: 'identity', strength: 3, recordedBy: { kind: 'vendor' } },
      ],
      decisions: [],
    });
    expect(JSON.stringify(body)).not.toMatch(/@|onfidence/);
    const keys = JSON.stringify(
      (await api.app.inject({ url: `${api.prefix}/.well-known/receipt-keys.json` })).json(),
    );
    const verdictOf = async (file: object) =>
      (await verifyReceipt(JSON.stringify(file), { keys })).verdict;
    expect(await verdictOf(body)).toBe('genuine');
    expect(await verdictOf({ ...body, outcome: 'completed' })).toBe('refused');
    expect(await verdictOf({ ...body, evidence: [] })).toBe('refused');
    expect(await verdictOf({ ...body, evidence: {} })).toBe('refused');
    const { receipt } = await verifyReceipt(JSON.stringify(body), { keys });
    expect(receipt === undefined ? [] : statementOf(receipt)).toContainEqual([
      'Proof',
      expect.stringMatching(/^liveness, /),
    ]);
    const read = await run(
      (tx) =>
        tx`select actor_id from audit where subject_id = ${recoveryId} and action = 'staff.recovery_record_read'`,
    );
    expect(read).toEqual([{ actorId: auditor.staffId }]);
    const refused = await agent.get(`/staff/recoveries/${recoveryId}/record`);
    expect(refused).toMatchObject({ status: 403, body: { code: 'staff_role_missing' } });
  });

  test('says who decided and confirmed, under which employee id, and until when it is kept', async () => {
    const supervisor = await createStaff(api, ['supervisor']);
    const recoveryId = await review();
    const decision = { kind: 'refuse', revision: 0, reason: 'suspected_fraud' };
    await supervisor.post(`/staff/recoveries/${recoveryId}/decisions`, decision);
    const { body } = await supervisor.get(`/staff/recoveries/${recoveryId}/record`);
    expect(body).toMatchObject({
      state: 'ended',
      outcome: 'denied',
      decisions: [
        {
          kind: 'refuse',
          reason: 'suspected_fraud',
          employee: supervisor.employeeId,
          staff: supervisor.staffId,
        },
      ],
    });
    const years =
      (Date.parse(body.times.keptUntil) - Date.parse(body.times.endedAt)) / (365 * 86_400_000);
    expect(years).toBe(7);
  });

  test('is not given out unsigned', async () => {
    const { personalData, otpCodes } = RECOVERY_TOOLS;
    const without = await startTestApi({ dependencies: { personalData, otpCodes } });
    try {
      const one = await without.inTenant((tx) => insertRecoverable(tx, without.tenantId));
      const { recoveryId } = await proved((work) => without.inTenant(work), one);
      const auditor = await createStaff(without, ['auditor']);
      expect((await auditor.get(`/staff/recoveries/${recoveryId}/record`)).body).toMatchObject({
        code: 'vendor_unavailable',
      });
    } finally {
      await without.close();
    }
  });
});
