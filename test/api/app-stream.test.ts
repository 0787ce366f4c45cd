/** What waits for a customer, as his app hears it: the whole picture first, every change after, and nothing once the session may not hear it. */
import type { Readable } from 'node:stream';
import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestApi } from '../setup/api.ts';
import type { TestApi } from '../setup/api.ts';
import { createEnrolledPhone } from '../setup/callers.ts';
import type { EnrolledPhone } from '../setup/callers.ts';
import { cutOffCustomer } from '../setup/customer.ts';
import { makeProof } from '../setup/proof.ts';
import { insertStepUpRows, moveStepUp } from '../setup/rows/waiting-step-up.ts';

const MAX_IN_FLIGHT = 4;

let api: TestApi;
let owner: postgres.Sql;
let phone: EnrolledPhone;
let open: Readable[] = [];
beforeAll(async () => {
  api = await startTestApi({ limits: { maxInFlight: MAX_IN_FLIGHT, requestTimeoutMs: 10_000 } });
  owner = postgres(api.testDatabase.superuserUrl, { max: 1 });
});
afterAll(async () => {
  await owner?.end();
  await api?.close();
});
beforeEach(async () => {
  for (const stream of open) stream.destroy();
  open = [];
  phone = await createEnrolledPhone(api);
});

interface Heard {
  readonly events: { readonly event: string; readonly data: unknown }[];
  isOver: boolean;
}

async function listen(listener: EnrolledPhone = phone): Promise<Heard> {
  const url = `${api.prefix}/auth/stream`;
  const { key, accessToken } = listener;
  const proof = { key, method: 'GET', htu: `${api.publicUrl}${url}`, nowMs: api.clock.nowMs() };
  const response = await api.app.inject({
    url,
    headers: {
      authorization: `DPoP ${accessToken}`,
      dpop: await makeProof({ ...proof, accessToken }),
    },
    payloadAsStream: true,
  });
  expect(response.statusCode).toBe(200);
  expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
  const stream = response.stream();
  open.push(stream);
  const heard: Heard = { events: [], isOver: false };
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    for (const [, event = '', data = ''] of text.matchAll(/event: (.+)\ndata: (.+)\n\n/g))
      heard.events.push({ event, data: JSON.parse(data) });
  });
  stream.on('error', () => undefined);
  stream.on('end', () => {
    heard.isOver = true;
  });
  return heard;
}

const ofSteps = ({ events }: Heard) =>
  events.filter(({ event }) => event === 'step_up').map(({ data }) => data);
const PATIENCE = { timeout: 10_000 };

describe('the stream of an app', () => {
  it('tells what waits, then each change once, by id and status alone', async () => {
    const customer = { tenantId: api.tenantId, ...phone };
    const stepUpId = await insertStepUpRows(owner, customer);
    const heard = await listen();
    await expect.poll(() => ofSteps(heard), PATIENCE).toEqual([{ stepUpId, status: 'pending' }]);
    await moveStepUp(owner, stepUpId, 'second_factor');
    await expect.poll(() => ofSteps(heard).length, PATIENCE).toBe(2);
    await moveStepUp(owner, stepUpId, 'approved');
    await expect.poll(() => ofSteps(heard).length, PATIENCE).toBe(3);
    await moveStepUp(owner, stepUpId, { outcome: 'completed', reason: 'consumed' });
    await expect
      .poll(() => ofSteps(heard), PATIENCE)
      .toEqual(
        ['pending', 'second_factor', 'approved', 'consumed'].map((status) => ({
          stepUpId,
          status,
        })),
      );
  });

  it('tells whoever comes back the whole picture again, and nothing that had ended', async () => {
    const customer = { tenantId: api.tenantId, ...phone };
    const ended = await insertStepUpRows(owner, customer);
    await moveStepUp(owner, ended, { outcome: 'cancelled', reason: 'superseded' });
    const stepUpId = await insertStepUpRows(owner, customer, { state: 'approved' });
    const first = await listen();
    await expect.poll(() => ofSteps(first), PATIENCE).toEqual([{ stepUpId, status: 'approved' }]);
    const second = await listen();
    await expect.poll(() => ofSteps(second), PATIENCE).toEqual([{ stepUpId, status: 'approved' }]);
    // The same session hears it in one place.
    await expect.poll(() => first.isOver, PATIENCE).toBe(true);
    expect(second.isOver).toBe(false);
  });

  it('tells nobody what waits for somebody else, nor what a login waits for', async () => {
    const other = await createEnrolledPhone(api);
    const strangers = await insertStepUpRows(owner, { tenantId: api.tenantId, ...other });
    const requester = { kind: 'login', id: 'login' } as const;
    await insertStepUpRows(owner, { tenantId: api.tenantId, ...phone }, { requester });
    const [own, theirs] = [await listen(), await listen(other)];
    await expect
      .poll(() => ofSteps(theirs), PATIENCE)
      .toEqual([{ stepUpId: strangers, status: 'pending' }]);
    expect(ofSteps(own)).toEqual([]);
  });

  it('ends at a cut-off, when the session is judged again', async () => {
    const bystander = await createEnrolledPhone(api);
    const [own, theirs] = [await listen(), await listen(bystander)];
    await api.inTenant((tx) => cutOffCustomer(tx, { tenantId: api.tenantId, ...phone }));
    api.clock.advance(15_000);
    await expect.poll(() => own.isOver, PATIENCE).toBe(true);
    await expect.poll(() => theirs.events, PATIENCE).toEqual([{ event: 'beat', data: {} }]);
    expect(own.events).toEqual([]);
    expect(theirs.isOver).toBe(false);
  });

  it('ends with the token that opened it', async () => {
    const heard = await listen();
    // The token is a little older than the stream.
    api.clock.advance(270_000);
    await expect.poll(() => heard.events.length, PATIENCE).toBe(1);
    expect(heard.isOver).toBe(false);
    api.clock.advance(31_000);
    await expect.poll(() => heard.isOver, PATIENCE).toBe(true);
  });

  it('takes no place of the requests under way', async () => {
    const listeners = await Promise.all(
      Array.from({ length: MAX_IN_FLIGHT + 1 }, () => createEnrolledPhone(api)),
    );
    for (const listener of listeners) await listen(listener);
    await expect(phone.get('/auth/me')).resolves.not.toMatchObject({ status: 429 });
  });

  it('ends when PostgreSQL is not there, so that nobody is told that nothing waits', async () => {
    const heard = await listen();
    await owner`alter table ceremony rename to away`;
    await expect.poll(() => heard.isOver, PATIENCE).toBe(true);
    await owner`alter table away rename to ceremony`;
  });
});
