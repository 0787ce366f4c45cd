/**
 * What a process of Latchkey is told from outside: environment variables, read once at start, judged all together, handed
 * on as one readonly object. Pure but for the reading of secret files, which is injected. It must never put a value into a
 * message (it may be a secret), never guess a secret, and never let demo material through in production.
 */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { demoMarker, EnvironmentReader, readUrl } from './environment.ts';
import type { Environment, Mode } from './environment.ts';
import { readGateways } from './gateways.ts';
import type { Gateway } from './gateways.ts';
import { readKeyring } from './keyring.ts';
import type { Keyring } from './keyring.ts';

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type { Environment, Mode };
export type LogLevel = (typeof logLevels)[number];

export interface Configuration {
  readonly mode: Mode;
  readonly database: { readonly url: string; readonly ownerUrl?: string };
  readonly temporal: {
    readonly address: string;
    readonly namespace: string;
    readonly apiKey?: string;
    readonly tls: boolean;
  };
  readonly http: {
    readonly host: string;
    readonly port: number;
    /** An origin without a trailing slash; issuers and links are built on it. */
    readonly publicUrl: string;
    readonly tenantAtRoot?: string;
    readonly trustedProxies: readonly string[];
  };
  readonly keys: Keyring;
  /** By the id that a gateway names itself with. */
  readonly gateways: Readonly<Record<string, Gateway>>;
  readonly sms: { readonly url: string; readonly secret: string };
  readonly email: { readonly smtpUrl: string; readonly from: string };
  readonly identity: { readonly url: string; readonly secret: string };
  readonly logLevel: LogLevel;
  readonly temporalUiUrl?: string;
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

const slug = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const hostAndPort = /^(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})$/;
const sender = /^(?:[^<>@\r\n]+ <[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$/;
const failPointName = /^[A-Za-z][A-Za-z0-9._-]{0,63}$/;

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || host.startsWith('127.');

const isPort = (text: string): boolean =>
  /^[0-9]{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;

const isProxyRange = (text: string): boolean => {
  const [address = '', prefix, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return (
    prefix === undefined ||
    (/^[0-9]{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128))
  );
};

const checkDatabaseUrl = (
  reader: EnvironmentReader,
  variable: string,
  value: string,
): URL | undefined => {
  const url = readUrl(value);
  if (
    url === undefined ||
    !['postgres:', 'postgresql:'].includes(url.protocol) ||
    url.pathname.length < 2
  ) {
    reader.refuse(
      variable,
      'is not a PostgreSQL address',
      'use postgres://user:password@host:5432/database',
    );
    return undefined;
  }
  if (reader.isProduction && isLoopback(url.hostname) && url.password.startsWith(demoMarker)) {
    reader.refuse(
      variable,
      'is the embedded demo database',
      'name a managed PostgreSQL and its own password',
    );
  }
  return url;
};

const readDatabase = (reader: EnvironmentReader): Configuration['database'] => {
  const url = reader.required('DATABASE_URL', "set the application role's postgres:// address");
  const ownerUrl = reader.optional('DATABASE_OWNER_URL');
  const application = url === undefined ? undefined : checkDatabaseUrl(reader, 'DATABASE_URL', url);
  const owner =
    ownerUrl === undefined ? undefined : checkDatabaseUrl(reader, 'DATABASE_OWNER_URL', ownerUrl);
  if (application !== undefined && owner !== undefined && application.username === owner.username) {
    reader.refuse(
      'DATABASE_OWNER_URL',
      'has the user of DATABASE_URL',
      'use two roles: an owner is not held by row-level security',
    );
  }
  return { url: url ?? '', ...(ownerUrl === undefined ? {} : { ownerUrl }) };
};

const readTemporal = (reader: EnvironmentReader): Configuration['temporal'] => {
  const address = reader.required('TEMPORAL_ADDRESS', 'set host:port of the Temporal frontend');
  if (address !== undefined && !isPort(hostAndPort.exec(address)?.[1] ?? '')) {
    reader.refuse('TEMPORAL_ADDRESS', 'has the wrong form', 'use host:port, without a scheme');
  }
  const namespace = reader.shaped(
    'TEMPORAL_NAMESPACE',
    (value) => /^[A-Za-z0-9._-]{2,255}$/.test(value),
    'use letters, digits, dots and dashes',
  );
  const apiKey = reader.optional('TEMPORAL_API_KEY');
  const tls = reader.oneOf(
    'TEMPORAL_TLS',
    ['true', 'false'],
    apiKey === undefined ? 'false' : 'true',
  );
  if (apiKey !== undefined && tls === 'false') {
    reader.refuse(
      'TEMPORAL_TLS',
      'would send the API key in the clear',
      'set it to true or leave it out',
    );
  }
  return {
    address: address ?? '',
    namespace: namespace ?? 'latchkey',
    ...(apiKey === undefined ? {} : { apiKey }),
    tls: tls === 'true',
  };
};

const readPublicUrl = (reader: EnvironmentReader): string => {
  const value = reader.optional('LATCHKEY_PUBLIC_URL') ?? 'http://localhost:4600';
  const url = readUrl(value);
  const isOrigin =
    url !== undefined &&
    ['http:', 'https:'].includes(url.protocol) &&
    [url.origin, `${url.origin}/`].includes(value);
  if (!isOrigin) {
    reader.refuse(
      'LATCHKEY_PUBLIC_URL',
      'is not an origin',
      'use https://host, without path, query or credentials',
    );
    return '';
  }
  if (reader.isProduction && url.protocol !== 'https:') {
    reader.refuse(
      'LATCHKEY_PUBLIC_URL',
      'is not https',
      'set the https:// origin that customers see',
    );
  }
  return url.origin;
};

const readHttp = (reader: EnvironmentReader): Configuration['http'] => {
  const host = reader.shaped(
    'LATCHKEY_HOST',
    (value) => isIP(value) !== 0 || slug.test(value),
    'use an IP address or localhost',
  );
  const port = reader.shaped('LATCHKEY_PORT', isPort, 'use a number from 1 to 65535');
  const publicUrl = readPublicUrl(reader);
  const tenantAtRoot = reader.shaped(
    'LATCHKEY_TENANT_AT_ROOT',
    (value) => slug.test(value),
    "use the tenant's slug",
  );
  const proxies = reader.shaped(
    'LATCHKEY_TRUSTED_PROXIES',
    (value) => value.split(',').every((range) => isProxyRange(range.trim())),
    'use IP addresses or CIDR ranges, separated by commas',
  );
  return {
    host: host ?? '127.0.0.1',
    port: Number(port ?? '4600'),
    publicUrl,
    ...(tenantAtRoot === undefined ? {} : { tenantAtRoot }),
    trustedProxies: proxies?.split(',').map((range) => range.trim()) ?? [],
  };
};

const readEmail = (reader: EnvironmentReader): Configuration['email'] => {
  const smtpUrl = reader.required('SMTP_URL', 'set smtps://user:password@host:465') ?? '';
  const url = readUrl(smtpUrl);
  const isSmtp =
    url !== undefined && ['smtp:', 'smtps:'].includes(url.protocol) && url.hostname !== '';
  if (smtpUrl !== '' && !isSmtp) {
    reader.refuse('SMTP_URL', 'is not an SMTP address', 'use smtps://user:password@host:465');
  } else if (
    reader.isProduction &&
    url?.protocol === 'smtp:' &&
    url.searchParams.get('requireTLS') !== 'true'
  ) {
    reader.refuse(
      'SMTP_URL',
      'is not encrypted',
      'use smtps:// or add ?requireTLS=true in production',
    );
  }
  const from = reader.required('EMAIL_FROM', 'set the sender, Name <address@host>') ?? '';
  if (from !== '' && !sender.test(from)) {
    reader.refuse('EMAIL_FROM', 'is not a sender', 'use address@host or Name <address@host>');
  }
  return { smtpUrl, from };
};

const readVendor = (reader: EnvironmentReader, name: 'SMS' | 'IDENTITY') => ({
  url: reader.vendorUrl(`${name}_URL`),
  secret: reader.secret(`${name}_SECRET`),
});

const readOptional = (
  reader: EnvironmentReader,
): Pick<Configuration, 'temporalUiUrl' | 'buildId' | 'failPoint'> => {
  const temporalUiUrl = reader.shaped(
    'LATCHKEY_TEMPORAL_UI_URL',
    (value) => ['http:', 'https:'].includes(readUrl(value)?.protocol ?? ''),
    "use the https:// address of Temporal's web UI",
  );
  const buildId = reader.shaped(
    'LATCHKEY_BUILD_ID',
    (value) => /^[A-Za-z0-9._-]{1,128}$/.test(value),
    'use letters, digits, dots and dashes, or leave it out to hash the workflow bundle',
  );
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
    ...(temporalUiUrl === undefined ? {} : { temporalUiUrl }),
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
  const configuration: Configuration = {
    mode: reader.mode,
    database: readDatabase(reader),
    temporal: readTemporal(reader),
    http: readHttp(reader),
    keys: readKeyring(reader),
    gateways: readGateways(reader),
    sms: readVendor(reader, 'SMS'),
    email: readEmail(reader),
    identity: readVendor(reader, 'IDENTITY'),
    logLevel: reader.oneOf('LATCHKEY_LOG_LEVEL', logLevels, 'info'),
    ...readOptional(reader),
  };
  if (reader.problems.length > 0) throw new ConfigurationError(reader.problems);
  return configuration;
};
