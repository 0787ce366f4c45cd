/**
 * Leaks planted on purpose, one in each place that is searched, through the place's own way in: a search that does not find them would not find
 * a real one.
 */
import { Client } from '@temporalio/client';
import type { Connection } from '@temporalio/client';
import { Writable } from 'node:stream';
import { Counter, Registry } from 'prom-client';
import { createLogger } from '../../api/frame/logging.ts';
import { systemClock } from '../../adapters/clock.ts';
import { startLocalServer } from '../../runtime/local-http.ts';
import { signBody } from '../../runtime/vendor-signature.ts';
import { createDataConverter } from '../../temporal/data-converter.ts';
import type { PayloadKey } from '../../temporal/payload-codec.ts';
import type { OtlpCollector } from '../setup/vendors/otlp-collector.ts';
import type { Actor, Scene } from './ceremonies.ts';
import type { CanaryKind } from './needles.ts';
import type { Haystack, Sink } from './search.ts';

export type Planted = readonly [Sink, CanaryKind];

interface TemporalKeys {
  readonly connection: Connection;
  readonly namespace: string;
  readonly keys: readonly PayloadKey[];
}

/** In an encrypted argument, in the memo, and in a search attribute, which is in clear. */
export async function plantInTemporal(
  { number, email, person }: Actor,
  { connection, namespace, keys }: TemporalKeys,
): Promise<readonly Planted[]> {
  const client = new Client({
    connection,
    namespace,
    dataConverter: createDataConverter({ namespace, keys }),
  });
  const handle = await client.workflow.start('nothing', {
    taskQueue: 'nobody',
    workflowId: 'planted/by/the-test',
    args: [{ note: Buffer.from(number).toString('base64') }],
    memo: { note: email.toUpperCase() },
    searchAttributes: { LatchkeyState: [person.documentNumber.toLowerCase()] },
  });
  await client.workflow.getHandle(handle.workflowId).terminate(person.birthDate);
  return [
    ['history', 'phone'],
    ['visibility', 'email'],
    ['visibility', 'document number'],
    ['Temporal’s files', 'document number'],
    ['history', 'birth date'],
  ];
}

/** In JSON of the audit trail, in bytes, and in what PostgreSQL itself says. */
export async function plantInPostgres(
  { rows }: Scene,
  { number, person }: Actor,
): Promise<readonly Planted[]> {
  const [tenant = { tenantId: '' }] = await rows<{ tenantId: string }[]>`
    select tenant_id from tenant`;
  const detail = { note: encodeURIComponent(person.familyName) };
  await rows`insert into audit (tenant_id, actor_kind, actor_id, action, subject_kind, subject_id, detail)
    values (${tenant.tenantId}, 'system', 'test', 'test.planted', 'tenant', ${tenant.tenantId}, ${rows.json(detail)})`;
  await rows`insert into spent_challenge (tenant_id, challenge_hash, expires_at)
    values (${tenant.tenantId}, ${Buffer.from(number)}, latchkey_now())`;
  await rows.unsafe(`do $$ begin raise warning 'planted: ${person.birthDate}'; end $$`);
  return [
    ['column', 'name'],
    ['column', 'phone'],
    ['PostgreSQL’s files', 'phone'],
    ['log', 'birth date'],
  ];
}

/** Through the log that API and worker write with. */
export function plantInLog({ email }: Actor): {
  readonly haystack: Haystack;
  readonly planted: readonly Planted[];
} {
  const chunks: Buffer[] = [];
  const destination = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(chunk);
      done();
    },
  });
  const logger = createLogger({ level: 'debug', instance: 'test', destination });
  logger.debug({ note: { to: email } }, 'planted');
  const bytes = Buffer.concat(chunks);
  return { haystack: { sink: 'log', where: 'planted', bytes }, planted: [['log', 'email']] };
}

/** In an address, a header and a body, and in a message to the customer. */
export async function plantInHttp(
  { stack, wiretap }: Scene,
  { person }: Actor,
): Promise<readonly Planted[]> {
  const token = wiretap.canaries.find(({ kind }) => kind === 'refresh token')?.value;
  const server = await startLocalServer({
    name: 'a careless server',
    port: 0,
    handle: () =>
      Promise.resolve({
        status: 200,
        headers: { 'x-note': String(token) },
        body: { note: person.documentNumber },
      }),
    onError: () => undefined,
  });
  await fetch(`${server.url}/?token=${String(token)}`);
  await server.stop();
  const body = JSON.stringify({ to: '+1', text: person.givenName, reference: 'planted' });
  const secret = stack.environment['SMS_SECRET'] ?? '';
  await fetch(stack.inbox.smsUrl, {
    method: 'POST',
    headers: { 'latchkey-signature': signBody({ secret, body }, systemClock.nowMs()) },
    body,
  });
  return [
    ['URL', 'refresh token'],
    ['header', 'refresh token'],
    ['body', 'document number'],
    ['message', 'name'],
  ];
}

/** In an attribute of a span, sent as a process sends it, and in a label. */
export async function plantInTelemetry(
  collector: Pick<OtlpCollector, 'url'>,
  { number, email }: Actor,
): Promise<{ readonly haystack: Haystack; readonly planted: readonly Planted[] }> {
  const attributes = [{ key: 'to', value: { stringValue: number } }];
  const span = { name: 'planted', traceId: '0'.repeat(32), spanId: '0'.repeat(16), attributes };
  await fetch(`${collector.url}/v1/traces`, {
    method: 'POST',
    body: JSON.stringify({
      resourceSpans: [{ resource: { attributes: [] }, scopeSpans: [{ spans: [span] }] }],
    }),
  });
  const registry = new Registry();
  const counter = new Counter({
    name: 'planted',
    help: 'A leak.',
    labelNames: ['to'],
    registers: [registry],
  });
  counter.inc({ to: email });
  const bytes = Buffer.from(await registry.metrics(), 'utf8');
  return {
    haystack: { sink: 'metric', where: 'planted', bytes },
    planted: [
      ['span', 'phone'],
      ['metric', 'email'],
    ],
  };
}
