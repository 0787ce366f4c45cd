/**
 * What a process of Latchkey is told from outside: environment variables, read once at start, judged all together, handed
 * on as one readonly object. Pure but for the reading of secret files, which is injected. It must never put a value into a
 * message (it may be a secret), never guess a secret, and never let demo material through in production.
 */
import { readFileSync } from 'node:fs';
import { readDatabase } from './database.ts';
import type { DatabaseConfiguration } from './database.ts';
import { EnvironmentReader } from './environment.ts';
import type { Environment, Mode } from './environment.ts';
import { readEventSinks } from './events.ts';
import type { EventSinkConfiguration } from './events.ts';
import { readGateways } from './gateways.ts';
import type { Gateway } from './gateways.ts';
import { readHttp } from './http.ts';
import type { HttpConfiguration } from './http.ts';
import { readKeyring } from './keyring.ts';
import type { Keyring } from './keyring.ts';
import { readLiveness } from './liveness.ts';
import type { LivenessConfiguration } from './liveness.ts';
import { readTelemetry } from './telemetry.ts';
import type { TelemetryConfiguration } from './telemetry.ts';
import { readOperations } from './operations.ts';
import type { OperationsConfiguration } from './operations.ts';
import { readPush } from './push.ts';
import type { PushConfiguration } from './push.ts';
import { readStaff } from './staff.ts';
import type { StaffConfiguration } from './staff.ts';
import { readTemporal } from './temporal.ts';
import type { TemporalConfiguration } from './temporal.ts';
import { readTemporalUi } from './temporal-ui.ts';
import type { TemporalUiConfiguration } from './temporal-ui.ts';
import { readEmail, readRisk, readVendor } from './vendors.ts';
import type { EmailConfiguration, VendorConfiguration } from './vendors.ts';

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type { Environment, Mode };
export type LogLevel = (typeof logLevels)[number];

export interface Configuration {
  readonly mode: Mode;
  readonly database: DatabaseConfiguration;
  readonly temporal: TemporalConfiguration;
  readonly http: HttpConfiguration;
  readonly keys: Keyring;
  /** By the id that a gateway names itself with. */
  readonly gateways: Readonly<Record<string, Gateway>>;
  /** The operations door; without it this process has one door. */
  readonly operations?: OperationsConfiguration;
  /** By the tenant's slug. */
  readonly staff: Readonly<Record<string, StaffConfiguration>>;
  readonly sms: VendorConfiguration;
  readonly email: EmailConfiguration;
  readonly identity: VendorConfiguration;
  /** Who looks whether a customer is there and is the one proofed; without it nobody recovers by a face. */
  readonly liveness?: LivenessConfiguration;
  /** Who judges logins and approvals; without it nobody has an opinion. */
  readonly risk?: VendorConfiguration;
  /** By the tenant's slug. */
  readonly push: Readonly<Record<string, PushConfiguration>>;
  readonly eventSinks: readonly EventSinkConfiguration[];
  readonly telemetry: TelemetryConfiguration;
  readonly logLevel: LogLevel;
  readonly temporalUi?: TemporalUiConfiguration;
  readonly buildId?: string;
  readonly failPoint?: string;
}

/** Thrown when anything at all is wrong; the message has one line a fault: variable, what is wrong, how to fix it. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** A name, or `@` and the file that gives one. */
const failPointName = /^(?:[A-Za-z][A-Za-z0-9._-]{0,63}|@\/\S+)$/;

/** The id under which the workers of one build stand, for the worker and for whoever promotes it. */
export const readBuildId = (reader: EnvironmentReader): string | undefined =>
  reader.shaped(
    'LATCHKEY_BUILD_ID',
    (value) => /^[A-Za-z0-9._-]{1,128}$/.test(value),
    'use letters, digits, dots and dashes, or leave it out to hash the workflow bundle',
  );

const readOptional = (reader: EnvironmentReader): Pick<Configuration, 'buildId' | 'failPoint'> => {
  const buildId = readBuildId(reader);
  const failPoint = reader.shaped(
    'LATCHKEY_FAIL_POINT',
    (value) => failPointName.test(value),
    'use the name of one fail point',
  );
  if (failPoint !== undefined && reader.isProduction) {
    reader.refuse(
      'LATCHKEY_FAIL_POINT',
      'is set in production',
      'remove it: it kills processes on purpose',
    );
  }
  return {
    ...(buildId === undefined ? {} : { buildId }),
    ...(failPoint === undefined ? {} : { failPoint }),
  };
};

/**
 * Judges every variable and returns the whole configuration.
 * @throws ConfigurationError that lists everything wrong, one line a fault.
 */
export const loadConfiguration = (
  env: Environment,
  readSecretFile: (path: string) => string = (path) => readFileSync(path, 'utf8'),
): Configuration => {
  const reader = new EnvironmentReader(env, readSecretFile);
  const http = readHttp(reader);
  const operations = readOperations(reader, http.publicUrl);
  const temporal = readTemporal(reader);
  const staff = readStaff(reader);
  const temporalUi = readTemporalUi(reader, staff, temporal.namespace);
  const liveness = readLiveness(reader);
  const risk = readRisk(reader);
  const configuration: Configuration = {
    mode: reader.mode,
    database: readDatabase(reader),
    temporal,
    http,
    ...(operations === undefined ? {} : { operations }),
    staff,
    ...(temporalUi === undefined ? {} : { temporalUi }),
    keys: readKeyring(reader),
    gateways: readGateways(reader),
    sms: readVendor(reader, 'SMS'),
    email: readEmail(reader),
    identity: readVendor(reader, 'IDENTITY'),
    ...(liveness === undefined ? {} : { liveness }),
    ...(risk === undefined ? {} : { risk }),
    push: readPush(reader),
    eventSinks: readEventSinks(reader),
    telemetry: readTelemetry(reader),
    logLevel: reader.oneOf('LATCHKEY_LOG_LEVEL', logLevels, 'info'),
    ...readOptional(reader),
  };
  if (reader.problems.length > 0) throw new ConfigurationError(reader.problems);
  return configuration;
};

/**
 * Judges one part alone, for a command that needs no more and so is given no more: migrations know no vendor's secret.
 * @throws ConfigurationError likewise.
 */
export const loadPart = <Part>(
  env: Environment,
  read: (reader: EnvironmentReader) => Part,
  readSecretFile: (path: string) => string = (path) => readFileSync(path, 'utf8'),
): Part => {
  const reader = new EnvironmentReader(env, readSecretFile);
  const part = read(reader);
  if (reader.problems.length > 0) throw new ConfigurationError(reader.problems);
  return part;
};
