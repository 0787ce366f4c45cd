/** The process itself: it says what it lacks, answers what is under way before it goes, and its log tells no secrets. */
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createLogger } from '../../api/frame/logging.ts';
import {
  DEMO_IDENTITY_SECRET,
  DEMO_MASTER_KEYS,
  DEMO_PAYLOAD_KEYS,
  DEMO_SMS_SECRET,
} from '../../runtime/demo-secrets.ts';
import { findFreePort } from '../../runtime/ports.ts';
import { startTestApi } from '../setup/api.ts';
import { createPhone } from '../setup/callers.ts';

const SERVER = fileURLToPath(new URL('../../api/server.ts', import.meta.url));

describe('a process', () => {
  it('comes up while Temporal is down, serves, and ends cleanly at SIGTERM', async () => {
    const port = await findFreePort();
    const operationsPort = await findFreePort();
    const child = spawn(process.execPath, [SERVER], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        LATCHKEY_MODE: 'development',
        LATCHKEY_PORT: String(port),
        LATCHKEY_PUBLIC_URL: `http://localhost:${String(port)}`,
        LATCHKEY_OPERATIONS_PORT: String(operationsPort),
        DATABASE_URL: inject('servers').postgres.applicationUrl,
        TEMPORAL_ADDRESS: `127.0.0.1:${String(await findFreePort())}`,
        LATCHKEY_MASTER_KEYS: DEMO_MASTER_KEYS,
        LATCHKEY_PAYLOAD_KEYS: DEMO_PAYLOAD_KEYS,
        SMS_URL: 'http://127.0.0.1:9/sms',
        SMS_SECRET: DEMO_SMS_SECRET,
        SMTP_URL: 'smtp://127.0.0.1:9',
        EMAIL_FROM: 'demo@example.com',
        IDENTITY_URL: 'http://127.0.0.1:9/identity',
        IDENTITY_SECRET: DEMO_IDENTITY_SECRET,
      },
    });
    const output: string[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk.toString('utf8')));
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    try {
      const live = () =>
        fetch(`http://127.0.0.1:${String(port)}/livez`).then(
          (answer) => answer.status,
          () => 0,
        );
      await expect.poll(live, { timeout: 30_000 }).toBe(200);
      const door = `http://127.0.0.1:${String(operationsPort)}`;
      await expect.poll(async () => (await fetch(`${door}/livez`)).status).toBe(200);
      expect((await fetch(`${door}/docs`)).status).toBe(404);
      const ready = await fetch(`http://127.0.0.1:${String(port)}/readyz`);
      expect(ready.status).toBe(503);
      const { checks } = (await ready.json()) as { checks: { name: string; ready: boolean }[] };
      expect(checks.map(({ name }) => name)).toEqual([
        'database',
        'migrations',
        'temporal',
        'worker',
      ]);
    } finally {
      child.kill('SIGTERM');
    }
    const code = await ended;
    expect({ code, said: code === 0 ? '' : output.join('') }).toEqual({ code: 0, said: '' });
  });

  it('refuses to start with one message that lists everything wrong', async () => {
    const child = spawn(process.execPath, [SERVER], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {},
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8');
    });
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(1);
    expect(said).toContain('DATABASE_URL: is missing');
    expect(said).toContain('LATCHKEY_MASTER_KEYS: is missing');
    expect(said).not.toMatch(/\n\s+at /);
  });
});

describe('a stopping app', () => {
  it('finishes what is under way and refuses what comes after with 503', async () => {
    let isAsked = false;
    let release: (ready: boolean) => void = () => undefined;
    const held = new Promise<boolean>((resolve) => {
      release = resolve;
    });
    const api = await startTestApi({
      dependencies: {
        readiness: [
          {
            name: 'slow',
            detail: 'takes its time',
            isReady: () => {
              isAsked = true;
              return held;
            },
          },
        ],
      },
    });
    await api.app.listen({ host: '127.0.0.1', port: 0 });
    const address = api.app.server.address();
    if (address === null || typeof address === 'string') throw new Error('the app does not listen');
    const socket = connect(address.port, '127.0.0.1');
    let heard = '';
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString('utf8');
    });
    socket.write('GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n');
    await expect.poll(() => isAsked).toBe(true);
    const closed = api.close();
    await expect.poll(() => api.app.server.listening).toBe(false);
    socket.write('GET /livez HTTP/1.1\r\nHost: a\r\n\r\n');
    release(true);
    await closed;
    await expect.poll(() => heard).toContain('"name":"slow","ready":true');
    await expect.poll(() => heard).toContain('"code":"shutting_down"');
  });
});

describe('the log', () => {
  const lines: string[] = [];
  let api: Awaited<ReturnType<typeof startTestApi>>;
  beforeAll(async () => {
    const destination = { write: (line: string) => void lines.push(line) };
    const logger = createLogger({ level: 'trace', instance: 'test', destination });
    api = await startTestApi({ dependencies: { logger } });
  });
  afterAll(async () => {
    await api.close();
  });

  it('says operation, status, code and time of a request, and nothing that it carried', async () => {
    const phone = await createPhone(api);
    phone.accessToken = undefined;
    await phone.post('/auth/enrollments', { clientId: 'demo-app', phone: '+436641234567' });
    await api.app.inject({
      url: '/t/demo/auth/me?token=secret-in-query',
      headers: { authorization: 'DPoP secret-token' },
    });
    await expect.poll(() => lines.length).toBeGreaterThan(1);
    const text = lines.join('');
    expect(text).toContain('"operationId":"startEnrollment"');
    expect(text).toContain('"code":"dpop_proof_missing"');
    expect(text).toMatch(/"requestId":"req_[0-9a-f]{32}"/);
    for (const secret of [
      '6641234567',
      'secret-in-query',
      'secret-token',
      'eyJ',
      '127.0.0.1',
      phone.jkt,
    ]) {
      expect(text).not.toContain(secret);
    }
  });

  it('cuts what should never have been handed to it', () => {
    const cut: string[] = [];
    const logger = createLogger({
      level: 'info',
      instance: 'test',
      destination: { write: (line: string) => void cut.push(line) },
    });
    logger.info(
      {
        phone: '+436641234567',
        headers: { authorization: 'DPoP t', dpop: 'p' },
        body: { code: '123456' },
        token: 'x.y.z',
      },
      'a slip',
    );
    const cause = Object.assign(new Error('value +436641234567 is bad'), {
      code: '22P02',
      parameters: ['+436641234567'],
    });
    logger.error({ err: new Error('phone +436641234567', { cause }) }, 'a defect');
    const text = cut.join('');
    for (const secret of ['6641234567', 'DPoP t', '123456', 'x.y.z'])
      expect(text).not.toContain(secret);
    expect(text).toContain('22P02');
  });
});
