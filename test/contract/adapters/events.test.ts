/** One suite for every sink of events, the embedded one and the real ones; then what is special to each. */
import { PassThrough } from 'node:stream';
import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createEventBridgeSink, EVENTBRIDGE_SOURCE } from '../../../adapters/events/eventbridge.ts';
import { createStreamEventSink } from '../../../adapters/events/stream.ts';
import { createWebhookSink } from '../../../adapters/events/webhook.ts';
import type { DomainEvent, EventSink } from '../../../domain/ports.ts';
import { findFreePort } from '../../../runtime/ports.ts';
import { MOTO_CREDENTIALS, MOTO_REGION, startMoto } from '../../setup/programs/moto.ts';
import type { Moto } from '../../setup/programs/moto.ts';
import { startHttpVendor } from './http-vendor.ts';
import type { HttpVendor } from './http-vendor.ts';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const OTHER_SECRET = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;
const SENT_AT_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

let faults: string[] = [];
const tellFault = (reason: string) => {
  faults.push(reason);
};
afterEach(() => {
  faults = [];
});

const event = (number: number): DomainEvent => ({
  id: `out_${String(number)}`,
  type: 'bank.app.session_revoked',
  source: '/tenants/ten_1',
  subject: `cus_${String(number)}`,
  time: '2026-01-02T03:04:05.000Z',
  sequence: number,
  dataSchema: 'urn:latchkey:event:bank.app.session_revoked:1',
  data: { customerId: `cus_${String(number)}`, sessionId: 'ses_1', reason: 'revoked' },
});

const written = (number: number) => ({
  specversion: '1.0',
  id: `out_${String(number)}`,
  type: 'bank.app.session_revoked',
  source: '/tenants/ten_1',
  subject: `cus_${String(number)}`,
  time: '2026-01-02T03:04:05.000Z',
  datacontenttype: 'application/json',
  dataschema: 'urn:latchkey:event:bank.app.session_revoked:1',
  sequence: String(number).padStart(16, '0'),
  partitionkey: `cus_${String(number)}`,
  data: { customerId: `cus_${String(number)}`, sessionId: 'ses_1', reason: 'revoked' },
});

interface Bench {
  readonly sink: EventSink;
  /** The CloudEvents that came out at the other end since the last call. */
  received(): Promise<readonly unknown[]>;
  /** The same sink before a receiver that is not there. */
  readonly lost: EventSink;
  stop(): Promise<void>;
}

const webhook = (url: string, options: Partial<Parameters<typeof createWebhookSink>[0]> = {}) =>
  createWebhookSink({
    url,
    secrets: [SECRET],
    allowsPrivateAddresses: true,
    clock: { nowMs: () => SENT_AT_MS },
    tellFault,
    ...options,
  });

const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  stdout: () => {
    const stream = new PassThrough();
    const closed = new PassThrough();
    closed.on('error', () => undefined);
    closed.destroy(new Error('closed'));
    return Promise.resolve({
      sink: createStreamEventSink(stream),
      lost: createStreamEventSink(closed),
      received: () => {
        const text = String(stream.read() ?? '').trimEnd();
        return Promise.resolve(
          text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as unknown),
        );
      },
      stop: () => Promise.resolve(),
    });
  },
  'Amazon EventBridge': async () => {
    const moto = await startMoto();
    const queue = await busWithQueue(moto);
    const options = { bus: 'latchkey', region: MOTO_REGION, tellFault };
    const nowhere = `http://127.0.0.1:${String(await findFreePort())}`;
    return {
      sink: createEventBridgeSink({ ...options, endpoint: moto.url }),
      lost: createEventBridgeSink({ ...options, endpoint: nowhere, timeoutMs: 5_000 }),
      received: () => queue(),
      stop: () => moto.stop(),
    };
  },
  'Standard Webhooks': async () => {
    const receiver = await startHttpVendor();
    return {
      sink: webhook(`${receiver.url}/hook`),
      lost: webhook(`http://127.0.0.1:${String(await findFreePort())}/hook`),
      received: () =>
        Promise.resolve(receiver.requests.splice(0).map(({ body }) => JSON.parse(body) as unknown)),
      stop: () => receiver.stop(),
    };
  },
};

/** A bus whose every event of ours lands in a queue; answers how to empty it. */
async function busWithQueue(moto: Moto): Promise<() => Promise<readonly unknown[]>> {
  const client = new EventBridgeClient({
    region: MOTO_REGION,
    endpoint: moto.url,
    credentials: MOTO_CREDENTIALS,
  });
  const { QueueUrl } = await sqs(moto, 'CreateQueue', { QueueName: 'received' });
  await client.send(new CreateEventBusCommand({ Name: 'latchkey' }));
  const pattern = JSON.stringify({ source: [EVENTBRIDGE_SOURCE] });
  const rule = { Name: 'all', EventBusName: 'latchkey' };
  await client.send(new PutRuleCommand({ ...rule, EventPattern: pattern }));
  const target = { Id: 'queue', Arn: `arn:aws:sqs:${MOTO_REGION}:123456789012:received` };
  await client.send(
    new PutTargetsCommand({ Rule: 'all', EventBusName: 'latchkey', Targets: [target] }),
  );
  return async () => {
    const found: unknown[] = [];
    for (;;) {
      const { Messages = [] } = await sqs(moto, 'ReceiveMessage', {
        QueueUrl,
        MaxNumberOfMessages: 10,
      });
      if (Messages.length === 0) return found;
      for (const { Body } of Messages) {
        // EventBridge's envelope.
        const envelope = JSON.parse(Body) as { 'detail-type': string; detail: { type: string } };
        expect(envelope['detail-type']).toBe(envelope.detail.type);
        found.push(envelope.detail);
      }
    }
  };
}

interface SqsAnswer {
  readonly QueueUrl?: string;
  readonly Messages?: readonly { readonly Body: string }[];
}

/** As the SDK would ask, which is not among our packages. */
async function sqs(moto: Moto, action: string, body: object): Promise<SqsAnswer> {
  const response = await fetch(moto.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `AmazonSQS.${action}`,
      authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${MOTO_REGION}/sqs/aws4_request, SignedHeaders=host, Signature=0`,
    },
    body: JSON.stringify(body),
  });
  return (await response.json()) as SqsAnswer;
}

beforeAll(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', MOTO_CREDENTIALS.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', MOTO_CREDENTIALS.secretAccessKey);
});
afterAll(() => {
  vi.unstubAllEnvs();
});

describe.each(Object.entries(benches))('the sink %s', (_name, start) => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await start();
  }, 300_000);
  afterAll(() => bench?.stop());

  it('passes an event on as the CloudEvent it is', async () => {
    expect(await bench.sink.publish([event(42)])).toEqual(['published']);
    expect(await bench.received()).toEqual([written(42)]);
  });

  it('says one word for each of many, in their order', async () => {
    const numbers = Array.from({ length: 23 }, (_, index) => index + 1);
    const words = await bench.sink.publish(numbers.map(event));
    expect(words).toEqual(numbers.map(() => 'published'));
    const received = await bench.received();
    expect(received).toHaveLength(23);
    expect(received).toEqual(expect.arrayContaining(numbers.map(written)));
  });

  it('passes a repeated event on under the same id', async () => {
    await bench.sink.publish([event(1)]);
    await bench.sink.publish([event(1)]);
    expect(await bench.received()).toEqual([written(1), written(1)]);
  });

  it('has nothing to say about no events', async () => {
    expect(await bench.sink.publish([])).toEqual([]);
    expect(await bench.received()).toEqual([]);
  });

  it('says that every event may be tried again when its receiver is not there', async () => {
    expect(await bench.lost.publish([event(1), event(2)])).toEqual(['unavailable', 'unavailable']);
  });
});

describe('Amazon EventBridge', () => {
  let server: HttpVendor;
  beforeAll(async () => {
    server = await startHttpVendor();
  });
  afterAll(() => server?.stop());
  const sink = (timeoutMs = 10_000) =>
    createEventBridgeSink({
      bus: 'latchkey',
      region: MOTO_REGION,
      endpoint: server.url,
      timeoutMs,
      tellFault,
    });
  const json = (status: number, body: object, type?: string) => ({
    status,
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      ...(type === undefined ? {} : { 'x-amzn-errortype': type }),
    },
    body: JSON.stringify(body),
  });

  it('judges each entry by itself', async () => {
    server.answer = () =>
      json(200, {
        FailedEntryCount: 3,
        Entries: [
          { EventId: 'one' },
          { ErrorCode: 'ThrottlingException', ErrorMessage: 'slow down' },
          { ErrorCode: 'MalformedDetail', ErrorMessage: 'not JSON' },
          { ErrorCode: 'InternalFailure' },
        ],
      });
    const words = await sink().publish([event(1), event(2), event(3), event(4), event(5)]);
    expect(words).toEqual(['published', 'unavailable', 'refused', 'unavailable', 'unavailable']);
    expect(faults).toEqual([
      'ThrottlingException',
      'MalformedDetail',
      'InternalFailure',
      'no verdict',
    ]);
  });

  it.each(['AccessDeniedException', 'ResourceNotFoundException', 'InternalException'])(
    'keeps the events when the whole call fails with %s, and says which',
    async (type) => {
      server.answer = () => json(400, { __type: type, message: 'arn and account' }, type);
      expect(await sink().publish([event(1), event(2)])).toEqual(['unavailable', 'unavailable']);
      expect(faults).toEqual([type]);
    },
  );

  it('waits for an answer no longer than it may', async () => {
    server.answer = () => 'silent';
    expect(await sink(100).publish([event(1)])).toEqual(['unavailable']);
  });
});

describe('a webhook', () => {
  let receiver: HttpVendor;
  beforeAll(async () => {
    receiver = await startHttpVendor();
  });
  afterAll(() => receiver?.stop());
  afterEach(() => {
    receiver.answer = () => ({ status: 202 });
    receiver.requests.length = 0;
  });
  const hook = () => `${receiver.url}/hook`;

  it('is signed so that the library of the specification accepts it', async () => {
    const nowMs = Date.now();
    await webhook(hook(), { clock: { nowMs: () => nowMs } }).publish([event(1)]);
    const { body = '', headers = {}, method } = receiver.requests[0] ?? {};
    const given = headers as Record<string, string>;
    expect(method).toBe('POST');
    expect(new Webhook(SECRET).verify(body, given)).toEqual(written(1));
    expect(given).toMatchObject({
      'content-type': 'application/cloudevents+json',
      'webhook-id': 'out_1',
      'webhook-timestamp': String(Math.floor(nowMs / 1000)),
    });
    expect(() => new Webhook(OTHER_SECRET).verify(body, given)).toThrow('No matching signature');
    expect(() => new Webhook(SECRET).verify(`${body} `, given)).toThrow('No matching signature');
  });

  it('is signed by the old secret and the new one while they are changed', async () => {
    const nowMs = Date.now();
    const options = { clock: { nowMs: () => nowMs }, secrets: [OTHER_SECRET, SECRET] };
    await webhook(hook(), options).publish([event(1)]);
    const { body = '', headers = {} } = receiver.requests[0] ?? {};
    for (const secret of [SECRET, OTHER_SECRET])
      expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toBeDefined();
    expect(headers['webhook-signature']).toMatch(/^v1,\S+ v1,\S+$/);
  });

  it.each([
    [200, 'published'],
    [204, 'published'],
    [301, 'unavailable'],
    [400, 'refused'],
    [401, 'unavailable'],
    [404, 'unavailable'],
    [408, 'unavailable'],
    [410, 'gone'],
    [413, 'refused'],
    [422, 'refused'],
    [429, 'unavailable'],
    [500, 'unavailable'],
    [503, 'unavailable'],
  ] as const)('that is answered with %i is %s', async (status, word) => {
    receiver.answer = () => ({ status });
    expect(await webhook(hook()).publish([event(1)])).toEqual([word]);
    expect(faults).toEqual(word === 'published' ? [] : [`status ${String(status)}`]);
  });

  it('is never sent on to where an answer points', async () => {
    receiver.answer = () => ({ status: 307, headers: { location: `${receiver.url}/elsewhere` } });
    expect(await webhook(hook()).publish([event(1)])).toEqual(['unavailable']);
    expect(receiver.requests.map(({ path }) => path)).toEqual(['/hook']);
  });

  it('waits for an answer no longer than it may', async () => {
    receiver.answer = () => 'silent';
    expect(await webhook(hook(), { timeoutMs: 100 }).publish([event(1)])).toEqual(['unavailable']);
    expect(faults).toEqual(['AbortError']);
  });

  it.each(['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1'])(
    'reaches nothing inside the house at %s unless it was told that it may',
    async (host) => {
      const url = hook().replace('127.0.0.1', host);
      const sink = webhook(url, { allowsPrivateAddresses: false });
      expect(await sink.publish([event(1)])).toEqual(['unavailable']);
      expect(receiver.requests).toEqual([]);
      expect(faults).toEqual(['PrivateAddressError']);
    },
  );
});
