/** PostgreSQL goes away under the API: every answer is a 503 that says when to come back, and nothing needs a restart afterwards. */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestApi } from '../setup/api.ts';
import { createCaller, createEnrolledPhone } from '../setup/callers.ts';
import { createMachine } from '../setup/machine.ts';
import type { TestApi } from '../setup/api.ts';

/** The way to PostgreSQL, which the test closes and opens. */
class Road {
  #server: Server | undefined;
  readonly #sockets = new Set<Socket>();
  readonly #target: { readonly host: string; readonly port: number };
  port = 0;

  constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target;
  }

  async open(): Promise<void> {
    const server = createServer((near) => {
      const far = connect(this.#target);
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        // A cut road is what the test wants: both ends go.
        socket.on('error', () => socket.destroy());
        socket.on('close', () => {
          near.destroy();
          far.destroy();
          this.#sockets.delete(socket);
        });
      }
      near.pipe(far).pipe(near);
    });
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    // It listens on a port.
    ({ port: this.port } = server.address() as AddressInfo);
    this.#server = server;
  }

  async close(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    this.#server = undefined;
  }
}

let road: Road;
let api: TestApi;
beforeAll(async () => {
  const { inject } = await import('vitest');
  const target = new URL(inject('servers').postgres.applicationUrl);
  road = new Road({ host: target.hostname, port: Number(target.port) });
  await road.open();
  api = await startTestApi({
    databaseUrl: (url) => {
      const detour = new URL(url);
      detour.hostname = '127.0.0.1';
      detour.port = String(road.port);
      return detour.href;
    },
  });
});
afterAll(async () => {
  await api.close();
  await road.close();
});

it('answers 503 with Retry-After while the database is away, leaves nothing half-done, and goes on when it is back', async () => {
  const phone = await createEnrolledPhone(api);
  const machine = await createMachine(api);
  const stranger = await createCaller(api);
  const signal = { customerId: phone.customerId, reason: 'stolen_device' };
  expect((await phone.get('/auth/me')).status).toBe(200);

  await road.close();
  const refused = [
    await phone.get('/auth/me'),
    await phone.post('/auth/logout', { scope: 'this' }),
    await machine.post('/fraud/signals', signal, { idempotencyKey: 'in-the-dark' }),
    await stranger.get(`/auth/enrollments/cer_${'0'.repeat(32)}`),
    await stranger.post('/auth/login-options', { clientId: 'demo-app' }),
  ];
  for (const answer of refused) {
    expect(answer).toMatchObject({ status: 503, body: { code: 'database_unavailable' } });
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  }
  const ready = await api.app.inject({ url: '/readyz' });
  expect(ready.statusCode).toBe(503);
  expect(ready.json()).toMatchObject({ checks: [{ name: 'database', ready: false }, {}, {}] });
  expect((await api.app.inject({ url: '/livez' })).statusCode).toBe(200);

  await road.open();
  await expect.poll(async () => (await phone.get('/auth/me')).status).toBe(200);
  const answer = await machine.post('/fraud/signals', signal, { idempotencyKey: 'in-the-dark' });
  expect(answer).toMatchObject({ status: 202, body: { oldEpoch: 1, newEpoch: 2 } });
  expect(await phone.get('/auth/me')).toMatchObject({
    status: 403,
    body: { code: 'customer_on_hold' },
  });
});
