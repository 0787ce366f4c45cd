/**
 * What real processes tell of themselves while a customer is enrolled, logs in, refreshes and is cut off: counted once, traced as one, nothing
 * about him, and every number that a dashboard or an alarm asks for.
 */
import { readFileSync } from 'node:fs';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { fraudEngine } from '../../setup/faults.ts';
import { recordHistory } from '../../setup/temporal/recorded-history.ts';
import { TEST_PAYLOAD_KEYS } from '../../setup/payload-keys.ts';
import { startOtlpCollector } from '../../setup/vendors/otlp-collector.ts';
import type { CollectedSpan, OtlpCollector } from '../../setup/vendors/otlp-collector.ts';
import { metricNames } from '../../setup/documents/metric-names.ts';
import { scrape } from '../../setup/scrape.ts';
import type { Scrape } from '../../setup/scrape.ts';
import {
  beginEnrollment,
  codeSentTo,
  createSoftwarePhone,
  finishEnrollment,
} from '../../setup/software-phone.ts';
import type { SoftwarePhone } from '../../setup/software-phone.ts';
import { SOMEBODY } from '../../setup/somebody.ts';
import { startTestStack } from '../../setup/stack.ts';
import type { TestStack } from '../../setup/stack.ts';

const PATIENCE = { timeout: 60_000, interval: 100 };
const STEPS = ['phone', 'identity', 'identity_check', 'email', 'email_code', 'passkey'] as const;

let collector: OtlpCollector;
let stack: TestStack;
let phone: SoftwarePhone;
const codes: string[] = [];

beforeAll(async () => {
  collector = await startOtlpCollector();
  const payloadKeys = TEST_PAYLOAD_KEYS.map(
    ({ kid, key }) => `${kid}:${Buffer.from(key).toString('base64')}`,
  );
  stack = await startTestStack({
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      // Its history is kept for the replay gate, which opens it with these.
      LATCHKEY_PAYLOAD_KEYS: payloadKeys.join(),
    },
  });
  phone = createSoftwarePhone(stack);
  const { latchkey } = phone;
  const enrollmentId = await beginEnrollment(phone);
  codes.push(await codeSentTo(stack, phone.number));
  await latchkey.enrollment.submitPhoneCode(enrollmentId, codes[0] ?? '');
  await finishEnrollment(stack, phone, enrollmentId);
  codes.push(await codeSentTo(stack, phone.email));
  await latchkey.logIn();
  await latchkey.session.refresh();
  const { customerId } = await latchkey.me();
  const answer = await fraudEngine(stack).call({
    method: 'POST',
    path: '/fraud/signals',
    body: { customerId, reason: 'account_takeover' },
  });
  if (answer.status !== 202) throw new Error(`the signal was answered ${answer.status}`);
});

afterAll(async () => {
  await stack?.stop();
  await collector?.stop();
});

const VARIABLES = {
  api: 'LATCHKEY_API_METRICS_PORT',
  worker: 'LATCHKEY_WORKER_METRICS_PORT',
} as const;

const portOf = (process: 'api' | 'worker') => Number(stack.environment[VARIABLES[process]]);

const eventually = (process: 'api' | 'worker', check: (found: Scrape) => void): Promise<void> =>
  vi.waitFor(async () => {
    check(await scrape(portOf(process)));
  }, PATIENCE);

describe('the funnel', () => {
  test.each(STEPS)('counts the one who came to %s once, and once when he left it', async (step) => {
    await eventually('worker', (found) => {
      const labels = { kind: 'enrollment', step };
      expect(found.value('latchkey_ceremony_steps_begun_total', labels)).toBe(1);
      expect(found.value('latchkey_ceremony_steps_done_total', labels)).toBe(1);
    });
  });

  test('counts his end by outcome and reason', async () => {
    const found = await scrape(portOf('worker'));
    const labels = { step: 'passkey', outcome: 'completed', reason: 'completed' };
    expect(found.value('latchkey_ceremonies_ended_total', labels)).toBe(1);
    expect(found.value('latchkey_ceremonies_ended_total')).toBe(1);
  });
});

describe('the counters', () => {
  test('tell requests by operation, status and caller, and how long they took', async () => {
    const found = await scrape(portOf('api'));
    const login = { operation: 'login', status: '200', code: '', caller: 'key' };
    expect(found.value('latchkey_http_requests_total', login)).toBe(1);
    const times = { operation: 'login' };
    expect(found.value('latchkey_http_request_duration_seconds_count', times)).toBe(1);
    expect(
      found.value('latchkey_dpop_refusals_total', { code: 'dpop_nonce_required' }),
    ).toBeGreaterThan(0);
  });

  test('tell what is under way: nothing but the feed that the demo’s payments service follows', async () => {
    await eventually('api', (found) => {
      expect(found.value('latchkey_http_requests_in_flight')).toBe(1);
    });
  });

  test('tell the login, the refresh and the cut-off from what was committed', async () => {
    const found = await scrape(portOf('api'));
    expect(found.value('latchkey_sessions_started_total', { acr: 'latchkey:2' })).toBe(1);
    expect(found.value('latchkey_refreshes_total', { outcome: 'rotate' })).toBe(1);
    expect(found.value('latchkey_cut_offs_total', { reason: 'account_takeover' })).toBe(1);
  });

  test('tell what the workers did: activities, deliveries, the end of the session', async () => {
    await eventually('worker', (found) => {
      const advanced = { activity: 'advanceEnrollment', outcome: 'completed' };
      expect(found.value('latchkey_activities_total', advanced)).toBeGreaterThanOrEqual(7);
      const sms = { topic: 'message.sms', outcome: 'delivered' };
      expect(found.value('latchkey_outbox_deliveries_total', sms)).toBeGreaterThan(0);
      expect(found.value('latchkey_sessions_ended_total', { reason: 'revoked' })).toBe(1);
      expect(found.value('latchkey_leader_rounds_total', { led: 'true' })).toBeGreaterThan(0);
    });
  });

  test('tell what waits, from the rows', async () => {
    await eventually('worker', (found) => {
      expect(found.value('latchkey_outbox_pending_rows')).toBe(0);
      expect(found.value('latchkey_outbox_dead_rows', { topic: 'event' })).toBe(0);
      expect(found.value('latchkey_ceremonies_open')).toBe(0);
      // Half a minute later its second listing has been, and it is sealed.
      const running = found.value('latchkey_revocations_running') ?? 0;
      const sealed = found.value('latchkey_revocation_seal_seconds_count') ?? 0;
      expect({ running, sealed }).toEqual({ running: 1 - sealed, sealed: 1 - running });
    });
  });

  test('say that the keys were held against their canaries', async () => {
    for (const process of ['api', 'worker'] as const)
      expect((await scrape(portOf(process))).value('latchkey_keys_checked')).toBe(1);
  });

  test.each(['/', '/metrics/', '/livez', '/metrics?x=1'])(
    'stand behind a door that knows no %s',
    async (path) => {
      const answer = await fetch(`http://127.0.0.1:${portOf('api')}${path}`);
      expect(answer.status).toBe(404);
    },
  );

  test('are not to be had at the public door', async () => {
    expect((await fetch(`${stack.publicUrl}/metrics`)).status).toBe(404);
  });
});

describe('a trace', () => {
  const named = (name: string): CollectedSpan => {
    const found = collector.spans.find((span) => span.name === name);
    if (found === undefined) throw new Error(`there is no span ${name}`);
    return found;
  };
  const below = (parent: CollectedSpan): CollectedSpan[] =>
    collector.spans.filter(
      ({ parentSpanId, traceId }) => parentSpanId === parent.spanId && traceId === parent.traceId,
    );
  const only = (spans: readonly CollectedSpan[], name: string): CollectedSpan => {
    const found = spans.find((span) => span.name === name);
    if (found === undefined) throw new Error(`no ${name} among ${spans.map((s) => s.name).join()}`);
    return found;
  };

  test('runs from a request through the start of its workflow to the activities', async () => {
    await vi.waitFor(() => {
      const call = named('temporal start enrollment');
      const [request] = collector.spans.filter(({ spanId }) => spanId === call.parentSpanId);
      expect(request).toMatchObject({ service: 'latchkey-api', name: 'startEnrollment' });
      const workflow = only(below(call), 'workflow enrollment');
      expect(workflow.service).toBe('latchkey-worker');
      const activity = only(below(workflow), 'activity advanceEnrollment');
      expect(activity.attributes).toMatchObject({
        activityType: 'advanceEnrollment',
        outcome: 'completed',
        workflowId: call.attributes['workflowId'],
      });
    }, PATIENCE);
  });

  test('runs from a step through its update to what judged it', async () => {
    await vi.waitFor(() => {
      const [call] = below(named('submitPhoneCode'));
      expect(call?.name).toBe('temporal update submitPhoneCode');
      if (call === undefined) return;
      const update = only(below(call), 'update submitPhoneCode');
      expect(only(below(update), 'activity judgeEnrollmentCode').service).toBe('latchkey-worker');
    }, PATIENCE);
  });

  test('says which code a request was refused with, and is no error for that', async () => {
    await vi.waitFor(() => {
      const refused = collector.spans.find(
        ({ attributes }) =>
          attributes['code'] === 'dpop_nonce_required' && attributes['status'] === 401,
      );
      expect(refused).toMatchObject({ status: 0 });
    }, PATIENCE);
  });
});

describe('in Temporal', () => {
  test('the history of a traced enrollment carries a traceparent in clear and no other header', async () => {
    const { namespace, temporalAddress } = stack;
    const workflowId = await vi.waitFor(() => {
      const span = collector.spans.find(({ name }) => name === 'temporal start enrollment');
      if (span === undefined) throw new Error('no enrollment was started');
      return String(span.attributes['workflowId']);
    }, PATIENCE);
    const connection = await Connection.connect({ address: temporalAddress });
    try {
      const { history } = await connection.workflowService.getWorkflowExecutionHistory({
        namespace,
        execution: { workflowId },
      });
      const headers = (history?.events ?? []).flatMap(
        ({
          workflowExecutionStartedEventAttributes: started,
          activityTaskScheduledEventAttributes: scheduled,
        }) => [started?.header?.fields ?? {}, scheduled?.header?.fields ?? {}],
      );
      const carried = headers.flatMap((fields) => Object.entries(fields));
      expect(carried.length).toBeGreaterThan(1);
      for (const [name, payload] of carried) {
        expect(name).toBe('traceparent');
        expect(Buffer.from(payload.data ?? []).toString()).toMatch(
          /^"00-[0-9a-f]{32}-[0-9a-f]{16}-01"$/,
        );
      }
      await recordHistory(connection, { name: 'enrollment.traced', namespace, workflowId });
    } finally {
      await connection.close();
    }
  });
});

describe('what never is told', () => {
  const told = async () => [
    (await scrape(portOf('api'))).text,
    (await scrape(portOf('worker'))).text,
    ...collector.received,
  ];

  test('stands in no metric and no trace: number, address, name, code or token of the customer', async () => {
    const secrets = [
      phone.number,
      phone.number.slice(1),
      phone.email,
      SOMEBODY.givenName,
      SOMEBODY.familyName,
      ...codes.map((code) => `"${code}"`),
      'lr1.',
      'eyJ',
    ];
    for (const text of await told())
      for (const secret of secrets) expect(text).not.toContain(secret);
  });

  test('stands in no metric: an id', async () => {
    const [api = '', worker = ''] = await told();
    for (const text of [api, worker]) expect(text).not.toMatch(/[a-z]{3}_[0-9a-f]{32}/);
  });

  test('stands on no span: a message, an event or an attribute beyond the known ones', () => {
    expect(collector.spans.length).toBeGreaterThan(0);
    expect(collector.spans.filter(({ hasEvents }) => hasEvents)).toEqual([]);
    const keys = new Set(collector.spans.flatMap(({ attributes }) => Object.keys(attributes)));
    const known = ['activityType', 'attempt', 'code', 'operation', 'outcome', 'status'];
    expect([...keys].toSorted()).toEqual([...known, 'workflowId'].toSorted());
  });
});

describe('the first workflow task that fails', () => {
  test('is counted, and so is the payload that was not ours', async () => {
    const connection = await Connection.connect({ address: stack.temporalAddress });
    try {
      // Without our codec: what anybody who can write to the namespace could do.
      const { workflow } = new Client({ connection, namespace: stack.namespace });
      await workflow.start('session', {
        workflowId: 'session/stranger/1',
        taskQueue: 'sessions',
        args: [{ tenantId: 'stranger', id: '1' }],
      });
      await eventually('worker', (found) => {
        const name = 'temporal_workflow_task_execution_failed_total';
        expect(found.value(name, { workflow_type: 'session' })).toBeGreaterThan(0);
        const refused = { reason: 'not encrypted' };
        expect(found.value('latchkey_payload_refusals_total', refused)).toBeGreaterThan(0);
      });
      await workflow.getHandle('session/stranger/1').terminate();
    } finally {
      await connection.close();
    }
  });
});

describe('every metric that is asked for', () => {
  const read = (path: string) =>
    readFileSync(new URL(`../../../ops/${path}`, import.meta.url), 'utf8');

  test.each(['grafana/latchkey.json', 'prometheus/alerts.yml'])(
    'in %s is exposed by a process',
    async (path) => {
      const exposed = new Set([
        ...(await scrape(portOf('api'))).names,
        ...(await scrape(portOf('worker'))).names,
      ]);
      const asked = metricNames(read(path));
      expect(asked.length).toBeGreaterThan(10);
      expect(asked.filter((name) => !exposed.has(name))).toEqual([]);
    },
  );
});
