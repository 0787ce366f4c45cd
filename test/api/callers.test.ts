import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi } from '../setup/api.ts';
import { createCaller, createEnrolledPhone, createPhone } from '../setup/callers.ts';
import { createMachine } from '../setup/machine.ts';
import type { TestApi } from '../setup/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(async () => {
  await api.close();
});

describe('the callers of the fixtures', () => {
  it('lets a machine with a token in', async () => {
    const machine = await createMachine(api);
    const answer = await machine.get('/fraud/revocations/rev_' + '0'.repeat(32));
    expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });
  it('tells a customer from a machine', async () => {
    const phone = await createEnrolledPhone(api);
    const answer = await phone.get('/fraud/revocations/rev_' + '0'.repeat(32));
    expect(answer).toMatchObject({ status: 403, body: { code: 'caller_not_allowed' } });
  });
  it('asks a key without a token for one', async () => {
    const phone = await createPhone(api);
    const caller = await createCaller(api);
    expect(await phone.get('/fraud/revocations/rev_0')).toMatchObject({
      status: 401,
      body: { code: 'token_missing' },
    });
    expect(await caller.get('/nothing')).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
  });
});
