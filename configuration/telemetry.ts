/**
 * What a process tells of itself, and to whom: metrics on a port of their own, traces to a collector. Both are off unless they are asked for.
 * The metrics' door must never be the public one, so it has its own address and stays on loopback unless it is told otherwise.
 */
import { isIP } from 'node:net';
import { isPort, readUrl } from './environment.ts';
import type { EnvironmentReader } from './environment.ts';
import { DEFAULT_PORT } from './http.ts';

export interface MetricsAddress {
  readonly host: string;
  readonly port: number;
}

export interface TraceConfiguration {
  /** The collector's base address; traces go to `<endpoint>/v1/traces` (OTLP over HTTP). */
  readonly endpoint: string;
  /** Sent with every export, for a collector that asks who is there. */
  readonly headers: Readonly<Record<string, string>>;
  /** Share of the traces begun here that are kept, 0 to 1. */
  readonly ratio: number;
}

export interface TelemetryConfiguration {
  readonly metrics?: MetricsAddress;
  readonly traces?: TraceConfiguration;
}

const headerEntry = /^\s*([A-Za-z0-9-]{1,64})=([\x21-\x2b\x2d-\x7e]{1,512})\s*$/;

export const readTelemetry = (reader: EnvironmentReader): TelemetryConfiguration => {
  const metrics = readMetrics(reader);
  const traces = readTraces(reader);
  return {
    ...(metrics === undefined ? {} : { metrics }),
    ...(traces === undefined ? {} : { traces }),
  };
};

const readMetrics = (reader: EnvironmentReader): MetricsAddress | undefined => {
  const port = reader.shaped('LATCHKEY_METRICS_PORT', isPort, 'use a number from 1 to 65535');
  const host = reader.shaped(
    'LATCHKEY_METRICS_HOST',
    (value) => isIP(value) !== 0 || value === 'localhost',
    'use an IP address or localhost',
  );
  if (port === undefined) return undefined;
  const doors = [
    reader.optional('LATCHKEY_PORT') ?? String(DEFAULT_PORT),
    reader.optional('LATCHKEY_OPERATIONS_PORT'),
  ];
  if (doors.includes(port)) {
    reader.refuse(
      'LATCHKEY_METRICS_PORT',
      'is the port of another door',
      'choose one that neither customers nor staff reach',
    );
  }
  return { host: host ?? '127.0.0.1', port: Number(port) };
};

const readTraces = (reader: EnvironmentReader): TraceConfiguration | undefined => {
  const endpoint = reader.shaped(
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    (value) => {
      const url = readUrl(value);
      return (
        url !== undefined &&
        ['http:', 'https:'].includes(url.protocol) &&
        url.username + url.password + url.search + url.hash === ''
      );
    },
    'use http(s)://host:port of an OTLP collector, without credentials',
  );
  const headers = reader.shaped(
    'OTEL_EXPORTER_OTLP_HEADERS',
    (value) => value.split(',').every((entry) => headerEntry.test(entry)),
    'use name=value, separated by commas',
  );
  const ratio = reader.shaped(
    'LATCHKEY_TRACE_RATIO',
    (value) => /^(?:0(?:\.[0-9]{1,6})?|1(?:\.0{1,6})?)$/.test(value),
    'use a share from 0 to 1',
  );
  if (endpoint === undefined) return undefined;
  return {
    endpoint: endpoint.replace(/\/+$/, ''),
    headers: Object.fromEntries(
      (headers?.split(',') ?? []).map((entry) => {
        const [, name = '', value = ''] = headerEntry.exec(entry) ?? [];
        return [name.toLowerCase(), value];
      }),
    ),
    ratio: Number(ratio ?? '1'),
  };
};
