/** The documented nginx configuration while Latchkey, or what it stands on, is away: 503 for the app, and nothing reaches the service. */
import { describe, expect, test } from 'vitest';
import { CuttableLine } from '../../setup/postgres/cuttable-line.ts';
import { logInSomebody, startGatewayBed } from '../../setup/beds/gateway-bed.ts';
import type { Answered } from '../../setup/beds/gateway-bed.ts';

function expectUnavailable(answer: Answered): void {
  expect(answer.status).toBe(503);
  expect(answer.headers['retry-after']).toEqual(['1']);
  expect(JSON.parse(answer.body)).toMatchObject({ code: 'gateway_unavailable' });
}

describe('nothing passes nginx while', () => {
  test('Latchkey is down', async () => {
    const bed = await startGatewayBed();
    try {
      const customer = await logInSomebody(bed.api);
      const headers = await bed.credentials(customer);
      const neverShown = await bed.credentials(customer);
      expect((await bed.ask({ headers })).status).toBe(200);
      bed.reached();
      await bed.api.app.close();
      expectUnavailable(await bed.ask({ headers: neverShown }));
      expect(bed.reached()).toEqual([]);
    } finally {
      await bed.close();
    }
  });

  test('PostgreSQL is away', async () => {
    const line = await CuttableLine.open();
    const bed = await startGatewayBed({ databaseUrl: (url) => line.to(url) });
    try {
      const customer = await logInSomebody(bed.api);
      await line.cut();
      expectUnavailable(await bed.ask({ headers: await bed.credentials(customer) }));
      expect(bed.reached()).toEqual([]);
    } finally {
      await line.cut();
      await bed.close();
    }
  });
});
