/** The timeline's stream outlives nothing that opened it. */
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startTestApi } from '../setup/api.ts';
import { createMachine } from '../setup/machine.ts';
import { makeProof } from '../setup/proof.ts';
import type { TestApi } from '../setup/api.ts';

let api: TestApi;
let owner: postgres.Sql;
beforeAll(async () => {
  api = await startTestApi();
  owner = postgres(api.testDatabase.ownerUrl, { max: 1 });
});
afterAll(async () => {
  await owner?.end();
  await api?.close();
});

/** Open when it resolves. */
async function openTimeline() {
  const { key, accessToken } = await createMachine(api, { scope: 'timeline:read' });
  const url = `${api.prefix}/ops/timeline`;
  const response = await api.app.inject({
    url,
    headers: {
      authorization: `DPoP ${String(accessToken)}`,
      dpop: await makeProof({
        key,
        method: 'GET',
        htu: `${api.publicUrl}${url}`,
        nowMs: api.clock.nowMs(),
        accessToken,
      }),
    },
    payloadAsStream: true,
  });
  expect(response.statusCode).toBe(200);
  return response.stream().resume();
}

describe('an open timeline', () => {
  test.each([
    ['is disabled', "status = 'disabled'", "status = 'active'"],
    [
      'loses the scope',
      "scopes = array['fraud:signal']",
      "scopes = array['fraud:signal', 'fraud:release', 'timeline:read']",
    ],
  ])('ends soon after its client %s, long before its token', async (_what, change, undo) => {
    const stream = await openTimeline();
    expect(stream.readableEnded).toBe(false);
    const set = (assignment: string) =>
      owner.unsafe(`update client set ${assignment} where client_id = 'demo-fraud'`);
    await set(change);
    await vi.waitFor(() => expect(stream.readableEnded).toBe(true), { timeout: 15_000 });
    await set(undo);
  });
});
