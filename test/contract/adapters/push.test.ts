/** One suite for both push services, each spoken to over its own protocol; then what only one of them has. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApnsSender } from '../../../adapters/push/apns.ts';
import { createFcmSender } from '../../../adapters/push/fcm.ts';
import type { PushNotice, PushSender } from '../../../domain/ports.ts';
import { FakeApns } from '../../setup/vendors/fake-apns.ts';
import { FakeFcm } from '../../setup/vendors/fake-fcm.ts';

const START_MS = Date.now();
let nowMs = START_MS;
const clock = { nowMs: () => nowMs };

const notice: PushNotice = {
  token: 'ab'.repeat(32),
  title: 'Demo Bank',
  body: 'Something waits for your decision.',
  stepUpId: `cer_${'0'.repeat(32)}`,
  expiresAtMs: START_MS + 240_000,
};

type Trouble =
  | 'silent'
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> };

interface Bench {
  readonly sender: (timeoutMs?: number) => PushSender;
  /** Everything that arrived, as the phone's system gets it. */
  readonly arrived: () => readonly unknown[];
  readonly expected: unknown;
  readonly trouble: (trouble: Trouble) => void;
  readonly unregister: () => void;
  readonly kill: () => Promise<void>;
}

async function apnsBench(): Promise<Bench & { readonly fake: FakeApns }> {
  const fake = await FakeApns.start();
  return {
    fake,
    sender: (timeoutMs = 5000) => createApnsSender({ ...fake.account, clock, timeoutMs }),
    arrived: () => fake.requests.map(({ path, body }) => ({ path, body })),
    expected: {
      path: `/3/device/${notice.token}`,
      body: {
        aps: {
          alert: { title: notice.title, body: notice.body },
          sound: 'default',
          'interruption-level': 'time-sensitive',
        },
        stepUpId: notice.stepUpId,
      },
    },
    trouble: (trouble) => {
      fake.answer = trouble;
    },
    unregister: () => {
      fake.answer = { status: 410, reason: 'Unregistered', timestamp: START_MS - 1000 };
    },
    kill: () => fake.kill(),
  };
}

async function fcmBench(): Promise<Bench & { readonly fake: FakeFcm }> {
  const fake = await FakeFcm.start(() => nowMs);
  const account = fake.serviceAccount;
  return {
    fake,
    sender: (timeoutMs = 5000) =>
      createFcmSender({
        projectId: account.project_id,
        clientEmail: account.client_email,
        privateKeyId: account.private_key_id,
        privateKey: account.private_key,
        tokenUri: account.token_uri,
        endpoint: fake.endpoint,
        clock,
        timeoutMs,
      }),
    arrived: () => fake.messages,
    expected: {
      token: notice.token,
      notification: { title: notice.title, body: notice.body },
      data: { stepUpId: notice.stepUpId },
      android: {
        priority: 'HIGH',
        ttl: '240s',
        collapse_key: notice.stepUpId,
        notification: { tag: notice.stepUpId },
      },
    },
    trouble: (trouble) => {
      fake.answer = trouble;
    },
    unregister: () => {
      fake.answer = { status: 404, code: 'NOT_FOUND', errorCode: 'UNREGISTERED' };
    },
    kill: () => fake.stop(),
  };
}

beforeEach(() => {
  nowMs = START_MS;
});

describe.each([
  ['APNs', apnsBench],
  ['FCM', fcmBench],
] as const)('a push by %s', (_name, startBench) => {
  let bench: Bench;
  let sender: PushSender;
  beforeEach(async () => {
    bench = await startBench();
    sender = bench.sender();
  });
  afterEach(async () => {
    sender.close();
    await bench.kill().catch(() => undefined);
  });

  it('carries the text and the step-up’s id, and nothing else', async () => {
    await expect(sender.send(notice)).resolves.toEqual({ outcome: 'delivered' });
    expect(bench.arrived()).toEqual([bench.expected]);
  });

  it('says when the installation is gone', async () => {
    bench.unregister();
    await expect(sender.send(notice)).resolves.toMatchObject({ outcome: 'unregistered' });
  });

  it.each([500, 503])('may be tried again after a %i', async (status) => {
    bench.trouble({ status });
    await expect(sender.send(notice)).rejects.toMatchObject({ code: 'vendor_unavailable' });
  });

  it('hands on how long the service wants to be left alone', async () => {
    bench.trouble({ status: 429, headers: { 'retry-after': '17' } });
    await expect(sender.send(notice)).rejects.toMatchObject({
      code: 'vendor_unavailable',
      retryAfterSeconds: 17,
    });
  });

  it('understands a date in Retry-After', async () => {
    const date = new Date(Math.ceil(START_MS / 1000) * 1000 + 30_000).toUTCString();
    bench.trouble({ status: 503, headers: { 'retry-after': date } });
    await expect(sender.send(notice)).rejects.toMatchObject({
      retryAfterSeconds: expect.toSatisfy((seconds: number) => seconds >= 30 && seconds <= 31),
    });
  });

  it.each([400, 403, 404, 413])('gives up after a %i', async (status) => {
    bench.trouble({ status });
    await expect(sender.send(notice)).rejects.toMatchObject({ code: 'vendor_refused' });
  });

  it('stops waiting for a service that says nothing', async () => {
    bench.trouble('silent');
    const hasty = bench.sender(50);
    await expect(hasty.send(notice)).rejects.toMatchObject({ code: 'vendor_unavailable' });
    hasty.close();
  });

  it('may be tried again when nobody listens', async () => {
    await bench.kill();
    await expect(sender.send(notice)).rejects.toMatchObject({ code: 'vendor_unavailable' });
  });

  it('never puts the token into an error', async () => {
    bench.trouble({ status: 400 });
    const error: unknown = await sender.send(notice).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    const told = error instanceof Error ? `${error.message} ${String(error.cause)}` : '';
    expect(told).not.toContain(notice.token);
  });
});

describe('APNs', () => {
  let bench: Awaited<ReturnType<typeof apnsBench>>;
  let sender: PushSender;
  beforeEach(async () => {
    bench = await apnsBench();
    sender = bench.sender();
  });
  afterEach(async () => {
    sender.close();
    await bench.kill();
  });
  const authorizations = () =>
    new Set(bench.fake.requests.map(({ headers }) => headers.authorization));

  it('is told what the app is, what it shows, until when, and what takes its place', async () => {
    await sender.send(notice);
    expect(bench.fake.requests[0]?.headers).toMatchObject({
      'apns-topic': 'com.bank.app',
      'apns-push-type': 'alert',
      'apns-priority': '10',
      'apns-expiration': String(Math.floor(notice.expiresAtMs / 1000)),
      'apns-collapse-id': notice.stepUpId,
    });
  });

  it('hands on since when the installation is gone', async () => {
    bench.unregister();
    await expect(sender.send(notice)).resolves.toEqual({
      outcome: 'unregistered',
      sinceMs: START_MS - 1000,
    });
  });

  it('gets many pushes down one connection, under one token', async () => {
    await Promise.all(Array.from({ length: 20 }, () => sender.send(notice)));
    await sender.send(notice);
    expect(bench.fake.requests).toHaveLength(21);
    expect(bench.fake.connections).toBe(1);
    expect(authorizations().size).toBe(1);
  });

  it('gets a new token before an hour is over, and not within twenty minutes', async () => {
    await sender.send(notice);
    nowMs = START_MS + 39 * 60_000;
    await sender.send(notice);
    expect(authorizations().size).toBe(1);
    nowMs = START_MS + 41 * 60_000;
    await sender.send(notice);
    expect(authorizations().size).toBe(2);
  });

  it('is tried again under a new token when it calls the old one expired', async () => {
    bench.fake.answer = { status: 403, reason: 'ExpiredProviderToken' };
    await expect(sender.send(notice)).rejects.toMatchObject({ code: 'vendor_unavailable' });
    bench.fake.answer = { status: 200 };
    nowMs = START_MS + 60_000;
    await sender.send(notice);
    expect(authorizations().size).toBe(2);
  });

  it('is found again after it was gone', async () => {
    await sender.send(notice);
    await bench.fake.kill();
    await expect(sender.send(notice)).rejects.toMatchObject({ code: 'vendor_unavailable' });
    await bench.fake.listen();
    await expect(sender.send(notice)).resolves.toEqual({ outcome: 'delivered' });
  });

  it('refuses a team’s key that it does not know', async () => {
    const other = await FakeApns.start();
    const account = { ...bench.fake.account, privateKey: other.account.privateKey };
    const stranger = createApnsSender({ ...account, clock });
    await expect(stranger.send(notice)).rejects.toMatchObject({ code: 'vendor_refused' });
    stranger.close();
    await other.kill();
  });
});

describe('FCM', () => {
  let bench: Awaited<ReturnType<typeof fcmBench>>;
  let sender: PushSender;
  beforeEach(async () => {
    bench = await fcmBench();
    sender = bench.sender();
  });
  afterEach(() => bench.fake.stop());

  it('gets many pushes under one access token, asked for once', async () => {
    await Promise.all(Array.from({ length: 20 }, () => sender.send(notice)));
    expect(bench.fake.messages).toHaveLength(20);
    expect(bench.fake.tokensGiven).toBe(1);
  });

  it('gets a new access token before the old one ends', async () => {
    await sender.send(notice);
    nowMs = START_MS + 50 * 60_000;
    await sender.send(notice);
    expect(bench.fake.tokensGiven).toBe(1);
    nowMs = START_MS + 56 * 60_000;
    await sender.send(notice);
    expect(bench.fake.tokensGiven).toBe(2);
  });

  it('is tried again under a new access token when it does not take the old one', async () => {
    await sender.send(notice);
    bench.fake.answer = { status: 401, code: 'UNAUTHENTICATED' };
    await expect(sender.send(notice)).rejects.toMatchObject({ code: 'vendor_unavailable' });
    bench.fake.answer = { status: 200 };
    await expect(sender.send(notice)).resolves.toEqual({ outcome: 'delivered' });
    expect(bench.fake.tokensGiven).toBe(2);
  });

  it('is left alone for a minute when a quota does not say how long', async () => {
    bench.fake.answer = { status: 429, errorCode: 'QUOTA_EXCEEDED' };
    await expect(sender.send(notice)).rejects.toMatchObject({ retryAfterSeconds: 60 });
  });

  it('keeps a registration when the project is the one that is not found', async () => {
    bench.fake.answer = { status: 404, code: 'NOT_FOUND' };
    await expect(sender.send(notice)).rejects.toMatchObject({ code: 'vendor_refused' });
  });

  it.each([
    [503, 'vendor_unavailable'],
    [400, 'vendor_refused'],
  ])('when its token endpoint answers %i is %s', async (status, code) => {
    bench.fake.tokenAnswer = { status };
    await expect(sender.send(notice)).rejects.toMatchObject({ code });
    bench.fake.tokenAnswer = { status: 200 };
    await expect(sender.send(notice)).resolves.toEqual({ outcome: 'delivered' });
  });

  it('asks for nothing that would be kept after it ended', async () => {
    nowMs = notice.expiresAtMs + 1;
    await sender.send(notice);
    expect(bench.fake.messages[0]).toMatchObject({ android: { ttl: '0s' } });
  });
});
