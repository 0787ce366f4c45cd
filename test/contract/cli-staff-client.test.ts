/** How the staff commands ask: again under the same key while the outcome is unknown, and never anywhere but at the door they were given. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askDoor, line } from '../../cli/staff-client.ts';

let server: Server;
let url: string;
let seen: IncomingMessage[];
/** What each request is answered, in order; the last goes on. */
let answers: ((response: ServerResponse, request: IncomingMessage) => void)[];
beforeEach(async () => {
  seen = [];
  server = createServer((request, response) => {
    const answer = answers[Math.min(seen.length, answers.length - 1)];
    seen.push(request);
    answer?.(response, request);
  });
  await new Promise<void>((resolve) => {
    server.listen({ host: '127.0.0.1', port: 0 }, resolve);
  });
  const address = server.address();
  url = `http://127.0.0.1:${String(typeof address === 'object' ? address?.port : 0)}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => {
    server.close(resolve);
  });
});

const json = (status: number, body: object) => (response: ServerResponse) => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};
const lost = (_response: ServerResponse, request: IncomingMessage) => {
  request.socket.destroy();
};
const door = () => ({ url, tenant: 'demo', cookie: '__Host-latchkey-staff=secret' });
const ask = () => askDoor(door(), { method: 'POST', path: '/staff/approvals/x/approve', body: {} });

describe('asking the door', () => {
  it('again after a lost answer and a 503 goes under the same Idempotency-Key', async () => {
    answers = [lost, json(503, { code: 'database_unavailable' }), json(200, { holdId: 'h' })];
    await expect(ask()).resolves.toEqual({ holdId: 'h' });
    const keys = seen.map(({ headers }) => headers['idempotency-key']);
    expect(keys).toEqual([keys[0], keys[0], keys[0]]);
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(seen[0]?.headers).toMatchObject({ origin: url, 'content-type': 'application/json' });
  });

  it('stops at a refusal, which becomes a sentence with its code', async () => {
    answers = [json(403, { code: 'four_eyes_required', title: 'Somebody else has to.' })];
    await expect(ask()).rejects.toMatchObject({
      code: 'four_eyes_required',
      message: 'Somebody else has to. (four_eyes_required)',
    });
    expect(seen).toHaveLength(1);
  });

  it('follows no redirect, so the session stays where it is', async () => {
    answers = [
      (response) => {
        response.writeHead(307, { location: `${url}/elsewhere` }).end();
      },
    ];
    await expect(ask()).rejects.toThrow('does not answer as Latchkey does');
    expect(new Set(seen.map(({ url: path }) => path))).toEqual(
      new Set(['/t/demo/staff/approvals/x/approve']),
    );
  });
});

describe('a line of a list', () => {
  it('holds no line end, no escape and no change of direction, whatever somebody called a device', () => {
    const name = 'a\n\u001b]0;x\u0007\u2028\u202eb';
    expect(line({ name, id: 1, none: null }, ['id', 'name', 'none', 'other'])).toBe(
      '1  a ]0;x b  -  -',
    );
  });
});
