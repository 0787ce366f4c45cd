/** What a process tells of itself: a door that knows one path, a trace that hangs together, and nothing of tracing loaded where there is none. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Registry } from 'prom-client';
import { afterEach, describe, expect, test } from 'vitest';
import { formatTraceparent, parseTraceparent } from '../../domain/tracing.ts';
import { findFreePort } from '../../runtime/ports.ts';
import { createApiMetrics } from '../../telemetry/api-metrics.ts';
import { exposeBacklog } from '../../telemetry/backlog-metrics.ts';
import { createDatabaseMetrics } from '../../telemetry/database-metrics.ts';
import { serveMetrics } from '../../telemetry/metrics-server.ts';
import type { MetricsServer } from '../../telemetry/metrics-server.ts';
import { createTracing } from '../../telemetry/tracing.ts';
import { startOtlpCollector } from '../setup/vendors/otlp-collector.ts';
import { readScrape, scrape } from '../setup/scrape.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const silent = { info: () => undefined, error: () => undefined };

describe('a traceparent', () => {
  test('is read as it was written', () => {
    const context = { traceId: TRACE, spanId: SPAN, flags: '01' };
    expect(parseTraceparent(formatTraceparent(context))).toEqual(context);
  });

  test.each([
    undefined,
    7,
    '',
    `00-${TRACE}-${SPAN}`,
    `01-${TRACE}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-01\n`,
  ])('is not followed when it is %j', (text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });
});

describe('the door of the metrics', () => {
  const servers: MetricsServer[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
  });

  test('answers what the process counts and what another source adds', async () => {
    const port = await findFreePort();
    const registry = new Registry();
    createApiMetrics(registry).answered({
      operationId: 'login',
      status: 401,
      code: 'challenge_invalid',
      caller: 'key',
      seconds: 0.01,
    });
    const more = () => Promise.resolve('temporal_num_pollers 5\n');
    servers.push(serveMetrics({ host: '127.0.0.1', port, registry, more, log: silent }));
    const found = await expect
      .poll(() => scrape(port).catch(() => undefined))
      .toBeDefined()
      .then(() => scrape(port));
    expect(found.value('latchkey_login_refusals_total', { code: 'challenge_invalid' })).toBe(1);
    expect(found.value('temporal_num_pollers')).toBe(5);
  });

  test('leaves a taken port to its holder, says so, and lets the process end', async () => {
    const port = await findFreePort();
    const errors: string[] = [];
    const log = { ...silent, error: (_fields: unknown, message: string) => errors.push(message) };
    servers.push(
      serveMetrics({ host: '127.0.0.1', port, registry: new Registry(), log: silent }),
      serveMetrics({ host: '127.0.0.1', port, registry: new Registry(), log }),
    );
    await expect.poll(() => errors).toEqual(['metrics cannot listen; trying again']);
    expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(200);
  });
});

describe('the backlog', () => {
  test('takes its numbers away when the database does not tell, and leaves the others', async () => {
    const registry = new Registry();
    let isDown = false;
    const row = { topic: 'event', pending: 3, oldestSeconds: 7 };
    const read = () =>
      isDown
        ? Promise.reject(new Error('down'))
        : Promise.resolve({
            outbox: [row, { ...row, oldestSeconds: 9 }],
            dead: [],
            ceremonies: [{ kind: 'enrollment', step: 'phone', open: 2 }],
            revocations: { running: 0, oldestSeconds: 0 },
          });
    const { refresh } = exposeBacklog(registry, read, 0);
    await refresh();
    const before = readScrape(await registry.metrics());
    expect(before.value('latchkey_outbox_pending_rows', { topic: 'event' })).toBe(6);
    expect(before.value('latchkey_outbox_oldest_pending_seconds', { topic: 'event' })).toBe(9);
    expect(before.value('latchkey_outbox_dead_rows', { topic: 'event' })).toBe(0);
    expect(before.value('latchkey_ceremonies_open', { step: 'phone' })).toBe(2);
    isDown = true;
    await refresh();
    const after = readScrape(await registry.metrics());
    expect(after.value('latchkey_outbox_pending_rows')).toBeUndefined();
    expect(after.value('latchkey_revocations_running')).toBeUndefined();
    expect(after.value('latchkey_backlog_read_errors_total')).toBe(1);
  });
});

describe('the funnel', () => {
  test('begins a step with the move to it and is done with it by the move away, but not by a reminder or an end', async () => {
    const registry = new Registry();
    const metrics = createDatabaseMetrics(registry, 1);
    const move = {
      kind: 'ceremony_moved',
      ceremony: 'enrollment',
      outcome: null,
      reason: null,
    } as const;
    metrics.committed([
      { ...move, from: 'starting', to: 'phone' },
      { ...move, from: 'phone', to: 'identity' },
      { ...move, from: 'identity', to: 'identity' },
      { ...move, from: 'identity', to: 'ended', outcome: 'expired', reason: 'abandoned' },
    ]);
    const found = readScrape(await registry.metrics());
    const steps = (name: string) =>
      ['starting', 'phone', 'identity'].map((step) => found.value(name, { step }));
    expect(steps('latchkey_ceremony_steps_begun_total')).toEqual([undefined, 1, 1]);
    expect(steps('latchkey_ceremony_steps_done_total')).toEqual([1, 1, 0]);
    const ended = { step: 'identity', outcome: 'expired', reason: 'abandoned' };
    expect(found.value('latchkey_ceremonies_ended_total', ended)).toBe(1);
  });
});

describe('tracing', () => {
  test('hangs what is called within a span below it, and a past span where it says', async () => {
    const collector = await startOtlpCollector();
    const tracing = createTracing({
      endpoint: collector.url,
      headers: {},
      ratio: 1,
      serviceName: 'latchkey-test',
      instance: 'test',
    });
    const outer = tracing.begin({ name: 'outer', kind: 'server' });
    await outer.within(async () => {
      await Promise.resolve();
      tracing.begin({ name: 'inner', kind: 'client' }).end({ failedWith: 'temporal_unavailable' });
    });
    outer.end();
    tracing.record({
      name: 'past',
      parent: outer.traceparent,
      spanId: SPAN,
      startMs: 1_700_000_000_000,
      endMs: 1_700_000_001_000,
      attributes: { workflowId: 'session/ten/ses' },
    });
    await tracing.close();
    await collector.stop();
    const [traceId, spanId] = outer.traceparent.split('-').slice(1);
    expect(collector.spans.map(({ name, parentSpanId }) => [name, parentSpanId])).toEqual([
      ['inner', spanId],
      ['outer', undefined],
      ['past', spanId],
    ]);
    expect(new Set(collector.spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
    expect(collector.spans[2]?.spanId).toBe(SPAN);
    expect(collector.spans[0]).toMatchObject({
      status: 2,
      attributes: { code: 'temporal_unavailable' },
      hasEvents: false,
    });
  });

  test('keeps nothing of a trace that was not chosen', async () => {
    const collector = await startOtlpCollector();
    const options = { endpoint: collector.url, headers: {}, serviceName: 's', instance: 'i' };
    const tracing = createTracing({ ...options, ratio: 0 });
    const outer = tracing.begin({ name: 'outer', kind: 'server' });
    expect(outer.traceparent).toMatch(/-00$/);
    const span = { name: 'past', parent: outer.traceparent, spanId: SPAN, attributes: {} };
    tracing.record({ ...span, startMs: 1, endMs: 2 });
    outer.end();
    await tracing.close();
    await collector.stop();
    expect(collector.received).toEqual([]);
  });

  test.each([
    ['nothing of it without a collector', '{}', false],
    [
      'its packages with one',
      '{ traces: { endpoint: "http://127.0.0.1:9", headers: {}, ratio: 1 } }',
      true,
    ],
  ])('loads %s', async (_name, given, isLoaded) => {
    const room = fileURLToPath(new URL('../../telemetry/process-telemetry.ts', import.meta.url));
    const program = `
      import { registerHooks } from 'node:module';
      const loaded = [];
      registerHooks({ resolve(specifier, context, next) { loaded.push(specifier); return next(specifier, context); } });
      const { createProcessTelemetry } = await import(${JSON.stringify(room)});
      const log = { info() {}, error() {} };
      await createProcessTelemetry({ process: 'api', instance: 'i', poolSize: 1, log, ...${given} });
      process.stdout.write(String(loaded.some((name) => name.startsWith('@opentelemetry/sdk-trace'))));
      process.exit(0);`;
    const args = ['--input-type=module', '--eval', program];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    expect(stdout).toBe(String(isLoaded));
  });
});
