/**
 * Everything that a Latchkey leaves behind, as haystacks: histories decoded and as they are, what Temporal's lists show, the servers' own
 * files, every column, every line of every log. Nothing is left out because it should be harmless: that is what is being tested.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection } from '@temporalio/client';
import type { Payload, PayloadCodec } from '@temporalio/common';
import type postgres from 'postgres';
import type { OtlpCollector } from '../setup/vendors/otlp-collector.ts';
import { scrape } from '../setup/scrape.ts';
import type { TestStack } from '../setup/stack.ts';
import type { Haystack, Sink } from './search.ts';

export interface TemporalPlace {
  readonly connection: Connection;
  readonly namespace: string;
  readonly codec: PayloadCodec;
}

/** Each workflow's history and description: every string, every byte field, and every payload decoded. */
export async function collectTemporal(place: TemporalPlace): Promise<Haystack[]> {
  const { connection, namespace } = place;
  const { workflowService } = connection;
  const haystacks: Haystack[] = [];
  const { executions } = await workflowService.listWorkflowExecutions({
    namespace,
    pageSize: 1_000,
  });
  for (const { execution } of executions ?? []) {
    const [kind = ''] = execution?.workflowId?.split('/') ?? [];
    const parts = new Parts(place.codec);
    let nextPageToken: Uint8Array = new Uint8Array(0);
    do {
      const page = await workflowService.getWorkflowExecutionHistory({
        namespace,
        execution: execution ?? null,
        nextPageToken,
      });
      await parts.add(page.history);
      // An empty one arrives as an empty list.
      nextPageToken = Buffer.from(page.nextPageToken ?? []);
    } while (nextPageToken.length > 0);
    haystacks.push({ sink: 'history', where: kind, bytes: parts.bytes() });
    const described = new Parts(place.codec);
    await described.add(
      await workflowService.describeWorkflowExecution({ namespace, execution: execution ?? null }),
    );
    haystacks.push({ sink: 'visibility', where: kind, bytes: described.bytes() });
  }
  const lists = new Parts(place.codec);
  await lists.add(executions);
  await lists.add(await workflowService.listWorkerDeployments({ namespace }));
  haystacks.push({ sink: 'visibility', where: 'lists', bytes: lists.bytes() });
  return haystacks;
}

/** The strings and bytes of a protobuf message, names of map entries included. */
class Parts {
  readonly #codec: PayloadCodec;
  readonly #parts: Uint8Array[] = [];

  constructor(codec: PayloadCodec) {
    this.#codec = codec;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts.flatMap((part) => [part, Buffer.from('\n')]));
  }

  async add(value: unknown): Promise<void> {
    if (typeof value === 'string') this.#parts.push(Buffer.from(value, 'utf8'));
    else if (value instanceof Uint8Array) this.#parts.push(value);
    else if (typeof value === 'object' && value !== null) {
      if (isPayload(value)) await this.#addDecoded(value);
      for (const [name, member] of Object.entries(value)) {
        this.#parts.push(Buffer.from(name, 'utf8'));
        await this.add(member);
      }
    }
  }

  async #addDecoded(payload: Payload): Promise<void> {
    const encoding = Buffer.from(payload.metadata?.['encoding'] ?? []).toString('utf8');
    if (encoding !== 'binary/encrypted') return;
    const decoded = await this.#codec.decode([payload]);
    // A decoded payload is a payload in clear: its members are read, not decoded once more.
    for (const member of decoded) {
      this.#parts.push(Buffer.from(member.data ?? []));
      await this.add({ ...member.metadata });
    }
  }
}

function isPayload(value: object): value is Payload {
  return 'metadata' in value && 'data' in value;
}

/** Every column of every table, partitions and views too, and what the backends are doing. Rows are asked for as the superuser. */
export async function collectColumns(rows: postgres.Sql): Promise<Haystack[]> {
  const columns = await rows<{ table: string; column: string; type: string }[]>`
    select format('%I.%I', table_schema, table_name) as "table", column_name as "column", data_type as "type"
    from information_schema.columns
    where table_schema not in ('pg_catalog', 'information_schema') order by 1, ordinal_position`;
  const haystacks: Haystack[] = [];
  for (const { table, column, type } of columns) {
    const text = type === 'bytea' ? '' : '::text';
    const found = await rows.unsafe<{ value: string | Uint8Array | null }[]>(
      `select "${column}"${text} as value from ${table} where "${column}" is not null`,
    );
    const values = found.flatMap(({ value }) => [
      typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(value ?? []),
      Buffer.from('\n'),
    ]);
    haystacks.push({ sink: 'column', where: `${table}.${column}`, bytes: Buffer.concat(values) });
  }
  const activity = await rows<{ query: string }[]>`select query from pg_stat_activity`;
  const queries = activity.map(({ query }) => query).join('\n');
  haystacks.push({ sink: 'column', where: 'pg_stat_activity.query', bytes: Buffer.from(queries) });
  return haystacks;
}

/** The files of a server, such as PostgreSQL's log of changes, in which deleted rows live on. */
export function collectFiles(sink: Sink, folder: string, isMeant: RegExp): Haystack[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => isMeant.test(name))
    .map((name) => join(folder, name))
    .filter((path) => existsSync(path) && statSync(path).isFile())
    .map((path) => ({ sink, where: path.slice(folder.length + 1), bytes: readFileSync(path) }));
}

export function collectLogs(stack: Pick<TestStack, 'lines'>): Haystack[] {
  const parts = ['api', 'worker', 'postgres', 'temporal'] as const;
  return parts.map((part) => ({
    sink: 'log',
    where: part,
    bytes: Buffer.from(stack.lines(part).join('\n'), 'utf8'),
  }));
}

/** What any user of the machine reads in the list of processes. */
export function collectCommandLines(stack: Pick<TestStack, 'api' | 'worker'>): Haystack[] {
  return [stack.api(), stack.worker()].map(({ name, pid }) => ({
    sink: 'command line',
    where: name,
    bytes: readFileSync(`/proc/${String(pid)}/cmdline`),
  }));
}

export function collectMessages({ inbox }: Pick<TestStack, 'inbox'>): Haystack[] {
  return inbox.messages().map(({ channel, subject = '', text, html = '' }) => ({
    sink: 'message',
    where: channel,
    bytes: Buffer.from([subject, text, html].join('\n'), 'utf8'),
  }));
}

/** Each span as it was exported, and each metric as Prometheus reads it. */
export async function collectTelemetry(
  { environment }: Pick<TestStack, 'environment'>,
  { received }: Pick<OtlpCollector, 'received'>,
): Promise<Haystack[]> {
  const variables = ['LATCHKEY_API_METRICS_PORT', 'LATCHKEY_WORKER_METRICS_PORT'] as const;
  const metrics = variables.map(async (variable): Promise<Haystack> => {
    const { text } = await scrape(Number(environment[variable]));
    return { sink: 'metric', where: variable, bytes: Buffer.from(text, 'utf8') };
  });
  const spans = received.map((text): Haystack => ({
    sink: 'span',
    where: 'OTLP',
    bytes: Buffer.from(text, 'utf8'),
  }));
  return [...spans, ...(await Promise.all(metrics))];
}
