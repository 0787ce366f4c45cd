/** The operations door: what hangs there is nowhere else, what hangs at the public one is not there, and no other site's page gets in. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi } from '../setup/api.ts';
import type { TestApi } from '../setup/api.ts';
import { createStaff, knock } from '../setup/staff.ts';
import type { Staff } from '../setup/staff.ts';
import { STAFF_COOKIE } from '../../api/staff/cookies.ts';

let api: TestApi;
let ana: Staff;
beforeAll(async () => {
  api = await startTestApi();
  ana = await createStaff(api, ['agent'], { name: 'Ana Agent' });
});
afterAll(async () => {
  await api.close();
});

describe('at the operations door', () => {
  it('staff are told who they are', async () => {
    const answer = await ana.get('/staff/me');
    expect(answer).toMatchObject({
      status: 200,
      body: { staffId: ana.staffId, name: 'Ana Agent', roles: ['agent'] },
    });
    expect(answer.headers).not.toHaveProperty('dpop-nonce');
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
  });

  it.each(['/t/demo/.well-known/jwks.json', '/docs', '/openapi.json', '/t/demo/auth/me'])(
    'there is no %s',
    async (path) => {
      expect(await knock(api, { path })).toMatchObject({
        status: 404,
        body: { code: 'not_found' },
      });
    },
  );
});

describe('at the public door', () => {
  it('there are no staff, whatever they show', async () => {
    const cookie = `${STAFF_COOKIE}=${ana.token}`;
    const answer = await api.app.inject({ url: '/t/demo/staff/me', headers: { cookie } });
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toMatchObject({ code: 'not_found' });
  });
});
