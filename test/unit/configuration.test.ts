/** Every fault of the environment on its own, and all of them at once: the message is the whole interface. */
import { describe, expect, it } from 'vitest';
import { ConfigurationError, loadConfiguration } from '../../configuration/configuration.ts';
import { DEMO_MASTER_KEYS, DEMO_PAYLOAD_KEYS } from '../../runtime/demo-secrets.ts';

const keyOf = (byte: number): string => Buffer.alloc(32, byte).toString('base64');
const longSecret = 'x7'.repeat(16);

const production = {
  DATABASE_URL: 'postgres://app:pw@db.bank.example:5432/latchkey',
  TEMPORAL_ADDRESS: 'temporal.bank.example:7233',
  LATCHKEY_PUBLIC_URL: 'https://id.bank.example',
  LATCHKEY_MASTER_KEYS: `m2:${keyOf(2)},m1:${keyOf(1)}`,
  LATCHKEY_PAYLOAD_KEYS: `p1:${keyOf(3)}`,
  SMS_URL: 'https://sms.example/send',
  SMS_SECRET: longSecret,
  SMTP_URL: 'smtps://user:pw@mail.example:465',
  EMAIL_FROM: 'The Bank <no-reply@bank.example>',
  IDENTITY_URL: 'https://identity.example/v1',
  IDENTITY_SECRET: longSecret,
} as const;

const problemsOf = (
  env: Record<string, string | undefined>,
  readFile?: (path: string) => string,
): readonly string[] => {
  try {
    loadConfiguration(env, readFile);
  } catch (error) {
    if (error instanceof ConfigurationError) {
      expect(error.message).toBe(error.problems.join('\n'));
      return error.problems;
    }
    throw error;
  }
  return [];
};

const missing: readonly (readonly [string, string])[] = [
  ['DATABASE_URL', "set the application role's postgres:// address"],
  ['TEMPORAL_ADDRESS', 'set host:port of the Temporal frontend'],
  [
    'LATCHKEY_MASTER_KEYS',
    'use kid:base64 of 32 random bytes, separated by commas, the current one first',
  ],
  [
    'LATCHKEY_PAYLOAD_KEYS',
    'use kid:base64 of 32 random bytes, separated by commas, the current one first',
  ],
  ['SMS_URL', "set the vendor's address, https://…"],
  ['SMS_SECRET', 'set the secret shared with the vendor'],
  ['SMTP_URL', 'set smtps://user:password@host:465'],
  ['EMAIL_FROM', 'set the sender, Name <address@host>'],
  ['IDENTITY_URL', "set the vendor's address, https://…"],
  ['IDENTITY_SECRET', 'set the secret shared with the vendor'],
];

const keyForm =
  'has the wrong form; use kid:base64 of 32 random bytes, separated by commas, the current one first';
const pgForm = 'is not a PostgreSQL address; use postgres://user:password@host:5432/database';
const originForm = 'is not an origin; use https://host, without path, query or credentials';
const senderForm = 'is not a sender; use address@host or Name <address@host>';
const proxyForm = 'has the wrong form; use IP addresses or CIDR ranges, separated by commas';
/** Also where no proxy is trusted: anybody could say it then. */
const placeForm =
  'has the wrong form; name a header such as x-client-place, in lower case, that the proxies of LATCHKEY_TRUSTED_PROXIES set';

/** Variable, its bad value, the rest of its line. */
const bad: readonly (readonly [string, string, string])[] = [
  ['LATCHKEY_MODE', 'staging', 'is none of its values; use production, development'],
  ['DATABASE_URL', 'mysql://app:pw@db/latchkey', pgForm],
  ['LATCHKEY_METRICS_PORT', '70000', 'has the wrong form; use a number from 1 to 65535'],
  [
    'LATCHKEY_METRICS_PORT',
    '4600',
    'is the port of another door; choose one that neither customers nor staff reach',
  ],
  [
    'LATCHKEY_METRICS_HOST',
    'metrics.example',
    'has the wrong form; use an IP address or localhost',
  ],
  [
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'collector:4318',
    'has the wrong form; use http(s)://host:port of an OTLP collector, without credentials',
  ],
  [
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'http://user:secret@collector:4318',
    'has the wrong form; use http(s)://host:port of an OTLP collector, without credentials',
  ],
  [
    'OTEL_EXPORTER_OTLP_HEADERS',
    'just-a-token',
    'has the wrong form; use name=value, separated by commas',
  ],
  ['LATCHKEY_TRACE_RATIO', '1.5', 'has the wrong form; use a share from 0 to 1'],
  ['DATABASE_URL', 'postgres://app:pw@db', pgForm],
  ['DATABASE_URL', 'db:5432', pgForm],
  [
    'DATABASE_URL',
    'postgres://app:demo-app@127.0.0.1:4632/latchkey',
    'is the embedded demo database; name a managed PostgreSQL and its own password',
  ],
  [
    'DATABASE_URL',
    'postgres://app:demo@[::1]:4632/latchkey',
    'is the embedded demo database; name a managed PostgreSQL and its own password',
  ],
  ['DATABASE_OWNER_URL', 'nonsense', pgForm],
  [
    'DATABASE_OWNER_URL',
    'postgres://owner:demo@localhost/latchkey',
    'is the embedded demo database; name a managed PostgreSQL and its own password',
  ],
  [
    'DATABASE_OWNER_URL',
    'postgres://app:pw@db.bank.example/latchkey',
    'has the user of DATABASE_URL; use two roles: an owner is not held by row-level security',
  ],
  [
    'TEMPORAL_ADDRESS',
    'https://temporal:7233',
    'has the wrong form; use host:port, without a scheme',
  ],
  ['TEMPORAL_ADDRESS', 'temporal', 'has the wrong form; use host:port, without a scheme'],
  ['TEMPORAL_ADDRESS', 'temporal:70000', 'has the wrong form; use host:port, without a scheme'],
  ['TEMPORAL_NAMESPACE', 'a b', 'has the wrong form; use letters, digits, dots and dashes'],
  ['TEMPORAL_TLS', 'yes', 'is none of its values; use true, false'],
  ['LATCHKEY_HOST', 'http://0.0.0.0', 'has the wrong form; use an IP address or localhost'],
  ['LATCHKEY_PORT', '0', 'has the wrong form; use a number from 1 to 65535'],
  ['LATCHKEY_PORT', '65536', 'has the wrong form; use a number from 1 to 65535'],
  ['LATCHKEY_PORT', '46 00', 'has the wrong form; use a number from 1 to 65535'],
  ['LATCHKEY_PUBLIC_URL', 'id.bank.example', originForm],
  ['LATCHKEY_PUBLIC_URL', 'https://id.bank.example/t/one', originForm],
  ['LATCHKEY_PUBLIC_URL', 'https://user:pw@id.bank.example', originForm],
  [
    'LATCHKEY_PUBLIC_URL',
    'http://id.bank.example',
    'is not https; set the https:// origin that customers see',
  ],
  ['LATCHKEY_TENANT_AT_ROOT', 'North Bank', "has the wrong form; use the tenant's slug"],
  ['LATCHKEY_TRUSTED_PROXIES', '10.0.0.0/33', proxyForm],
  ['LATCHKEY_TRUSTED_PROXIES', '10.0.0.1,,', proxyForm],
  ['LATCHKEY_TRUSTED_PROXIES', 'proxy.internal', proxyForm],
  ['LATCHKEY_PLACE_HEADER', 'x-client-place', placeForm],
  ['LATCHKEY_MASTER_KEYS', 'm1', keyForm],
  ['LATCHKEY_MASTER_KEYS', `m1:${Buffer.alloc(31).toString('base64')}`, keyForm],
  ['LATCHKEY_MASTER_KEYS', `m1:${keyOf(1)},`, keyForm],
  [
    'LATCHKEY_MASTER_KEYS',
    `m1:${keyOf(1)},m1:${keyOf(2)}`,
    'repeats a key or a key id; give every key its own id and bytes',
  ],
  [
    'LATCHKEY_MASTER_KEYS',
    `m1:${keyOf(1)},m2:${keyOf(1)}`,
    'repeats a key or a key id; give every key its own id and bytes',
  ],
  [
    'LATCHKEY_MASTER_KEYS',
    `m1:${keyOf(1)},demo-1:${keyOf(9)}`,
    'holds a published demo key; generate keys of your own',
  ],
  [
    'LATCHKEY_MASTER_KEYS',
    DEMO_MASTER_KEYS.replace(/^[^:]+/, 'm1'),
    'holds a published demo key; generate keys of your own',
  ],
  [
    'LATCHKEY_PAYLOAD_KEYS',
    DEMO_PAYLOAD_KEYS.replace(/^[^:]+/, 'p1'),
    'holds a published demo key; generate keys of your own',
  ],
  ['LATCHKEY_PAYLOAD_KEYS', `m1:${keyOf(4).slice(0, -2)}`, keyForm],
  [
    'LATCHKEY_PAYLOAD_KEYS',
    `demo:${keyOf(9)}`,
    'holds a published demo key; generate keys of your own',
  ],
  [
    'LATCHKEY_PAYLOAD_KEYS',
    `p1:${keyOf(1)}`,
    'shares a key with LATCHKEY_MASTER_KEYS; use a key for one purpose only',
  ],
  ['SMS_URL', 'ftp://sms.example', 'is not a web address; use https://host/path'],
  ['SMS_URL', 'http://sms.example', 'is not encrypted; use https:// in production'],
  ['SMS_SECRET', `demo-${longSecret}`, 'is a demo secret; generate one of your own'],
  ['SMS_SECRET', longSecret.slice(1), 'is too short; use at least 32 random characters'],
  [
    'SMTP_URL',
    'https://mail.example',
    'is not an SMTP address; use smtps://user:password@host:465',
  ],
  [
    'SMTP_URL',
    'smtp://mail.example:25',
    'is not encrypted; use smtps:// or add ?requireTLS=true in production',
  ],
  ['EMAIL_FROM', 'The Bank', senderForm],
  ['EMAIL_FROM', 'Bank <a@b>\r\nBcc: c@d', senderForm],
  ['IDENTITY_URL', 'identity', 'is not a web address; use https://host/path'],
  ['IDENTITY_URL', 'http://identity.example', 'is not encrypted; use https:// in production'],
  ['IDENTITY_SECRET', `demo-${longSecret}`, 'is a demo secret; generate one of your own'],
  ['IDENTITY_SECRET', 'short', 'is too short; use at least 32 random characters'],
  [
    'LATCHKEY_LOG_LEVEL',
    'loud',
    'is none of its values; use fatal, error, warn, info, debug, trace, silent',
  ],
  [
    'LATCHKEY_TEMPORAL_UI_UPSTREAM',
    'https://temporal-ui.bank.example/temporal',
    "has the wrong form; use the origin of Temporal's web UI as the API reaches it, without a path: it serves below /temporal",
  ],
  [
    'LATCHKEY_BUILD_ID',
    'a b',
    'has the wrong form; use letters, digits, dots and dashes, or leave it out to hash the workflow bundle',
  ],
  [
    'LATCHKEY_FAIL_POINT',
    'after-commit',
    'is set in production; remove it: it kills processes on purpose',
  ],
  ['LATCHKEY_FAIL_POINT', 'After Commit', 'has the wrong form; use the name of one fail point'],
];

describe('a sound environment', () => {
  it('is returned typed and nested, with the defaults filled in', () => {
    expect(loadConfiguration(production)).toEqual({
      mode: 'production',
      database: { url: production.DATABASE_URL },
      temporal: { address: 'temporal.bank.example:7233', namespace: 'latchkey', tls: false },
      http: {
        host: '127.0.0.1',
        port: 4600,
        publicUrl: 'https://id.bank.example',
        trustedProxies: [],
      },
      keys: {
        master: [
          { kid: 'm2', key: new Uint8Array(32).fill(2) },
          { kid: 'm1', key: new Uint8Array(32).fill(1) },
        ],
        payload: [{ kid: 'p1', key: new Uint8Array(32).fill(3) }],
      },
      gateways: {},
      staff: {},
      push: {},
      eventSinks: [{ kind: 'stdout', name: 'stdout' }],
      telemetry: {},
      sms: { url: production.SMS_URL, secret: longSecret },
      email: { smtpUrl: production.SMTP_URL, from: production.EMAIL_FROM },
      identity: { url: production.IDENTITY_URL, secret: longSecret },
      logLevel: 'info',
    });
  });

  it('carries every optional value that is given', () => {
    const configuration = loadConfiguration({
      ...production,
      DATABASE_OWNER_URL: 'postgresql://owner:pw@db.bank.example/latchkey',
      TEMPORAL_NAMESPACE: 'bank.a1b2',
      TEMPORAL_API_KEY: 'cloud',
      LATCHKEY_HOST: '0.0.0.0',
      LATCHKEY_PORT: '8080',
      LATCHKEY_PUBLIC_URL: 'https://id.bank.example/',
      LATCHKEY_TENANT_AT_ROOT: 'north',
      LATCHKEY_TRUSTED_PROXIES: '10.0.0.0/8, ::1',
      LATCHKEY_PLACE_HEADER: 'x-client-place',
      SMTP_URL: 'smtp://mail.example:587?requireTLS=true',
      LATCHKEY_LOG_LEVEL: 'debug',
      LATCHKEY_BUILD_ID: 'b1',
    });
    expect(configuration.database.ownerUrl).toBe('postgresql://owner:pw@db.bank.example/latchkey');
    expect(configuration.temporal).toMatchObject({
      namespace: 'bank.a1b2',
      apiKey: 'cloud',
      tls: true,
    });
    expect(configuration.http).toEqual({
      host: '0.0.0.0',
      port: 8080,
      publicUrl: 'https://id.bank.example',
      tenantAtRoot: 'north',
      placeHeader: 'x-client-place',
      trustedProxies: ['10.0.0.0/8', '::1'],
    });
    expect(configuration).toMatchObject({
      logLevel: 'debug',
      buildId: 'b1',
    });
  });

  it('takes demo material, plain vendors and a fail point in development', () => {
    const configuration = loadConfiguration({
      ...production,
      LATCHKEY_MODE: 'development',
      DATABASE_URL: 'postgres://app:demo@127.0.0.1:4632/latchkey',
      LATCHKEY_PUBLIC_URL: undefined,
      LATCHKEY_MASTER_KEYS: `demo-1:${keyOf(1)}`,
      SMS_URL: 'http://127.0.0.1:4625/sms',
      SMS_SECRET: 'demo',
      SMTP_URL: 'smtp://127.0.0.1:4626',
      LATCHKEY_FAIL_POINT: 'relay.after-claim',
    });
    expect(configuration.http.publicUrl).toBe('http://localhost:4600');
    expect(configuration.failPoint).toBe('relay.after-claim');
  });

  it('counts an empty value as not given', () => {
    expect(problemsOf({ ...production, LATCHKEY_PORT: '', SMS_URL: '' })).toEqual([
      "SMS_URL: is missing; set the vendor's address, https://…",
    ]);
  });
});

describe('a fault on its own gives exactly its line', () => {
  it.each(missing)('%s is missing', (variable, fix) => {
    expect(problemsOf({ ...production, [variable]: undefined })).toEqual([
      `${variable}: is missing; ${fix}`,
    ]);
  });

  it.each(bad)('%s = %j', (variable, value, rest) => {
    const env = { ...production, [variable]: value };
    const lines = problemsOf(env);
    expect(lines).toEqual([`${variable}: ${rest}`]);
  });

  it('asks for the public origin in production, where the default will not do', () => {
    expect(problemsOf({ ...production, LATCHKEY_PUBLIC_URL: undefined })).toEqual([
      'LATCHKEY_PUBLIC_URL: is not https; set the https:// origin that customers see',
    ]);
  });

  it('refuses to send an API key in the clear', () => {
    expect(problemsOf({ ...production, TEMPORAL_API_KEY: 'cloud', TEMPORAL_TLS: 'false' })).toEqual(
      ['TEMPORAL_TLS: would send the API key in the clear; set it to true or leave it out'],
    );
  });
});

describe('values from files', () => {
  const files = (path: string): string => {
    if (path === '/run/secrets/sms') return `${longSecret}\n`;
    if (path === '/run/secrets/empty') return '\n';
    throw new Error('ENOENT');
  };
  const withoutSecret = { ...production, SMS_SECRET: undefined };

  it('are read without their last line end', () => {
    const configuration = loadConfiguration(
      { ...withoutSecret, SMS_SECRET_FILE: '/run/secrets/sms' },
      files,
    );
    expect(configuration.sms.secret).toBe(longSecret);
  });

  it.each([
    [
      '/run/secrets/none',
      'SMS_SECRET_FILE: names a file that cannot be read; check its path and permissions',
    ],
    ['/run/secrets/empty', 'SMS_SECRET_FILE: names an empty file; write the value into it'],
  ])('%s is refused in one line', (path, line) => {
    expect(problemsOf({ ...withoutSecret, SMS_SECRET_FILE: path }, files)).toEqual([line]);
  });

  it('are refused beside the value itself', () => {
    expect(problemsOf({ ...production, SMS_SECRET_FILE: '/run/secrets/sms' }, files)).toEqual([
      'SMS_SECRET: is given twice, also as SMS_SECRET_FILE; keep one of the two',
    ]);
  });
});

describe('everything wrong at once', () => {
  it('lists every missing variable of an empty environment', () => {
    const lines = problemsOf({});
    expect(lines).toHaveLength(missing.length + 1);
    for (const [variable] of missing) {
      expect(lines.filter((line) => line.startsWith(`${variable}: `))).toHaveLength(1);
    }
  });

  it('has one line for each bad variable', () => {
    const env: Record<string, string> = {};
    const expected: string[] = [];
    for (const [variable, value, rest] of bad) {
      if (variable in env) continue;
      env[variable] = value;
      expected.push(`${variable}: ${rest}`);
    }
    expect(problemsOf(env).toSorted()).toEqual(expected.toSorted());
  });

  it('never shows a value', () => {
    const env = Object.fromEntries(bad.map(([variable]) => [variable, 'demo canary']));
    const message = problemsOf(env).join('\n');
    expect(message.split('\n').length).toBeGreaterThan(15);
    expect(message).not.toContain('canary');
  });
});

it.each([
  'no json',
  '[]',
  '{"a":1}',
  '{"A b":{"origin":"https://api.example","pathPrefix":"/","scope":"s"}}',
  '{"a":{"origin":"https://api.example/","pathPrefix":"/","scope":"s"}}',
  '{"a":{"origin":"https://api.example","pathPrefix":"/x/","scope":"s"}}',
  '{"a":{"origin":"https://api.example","pathPrefix":"/../x","scope":"s"}}',
  '{"a":{"origin":"https://api.example","pathPrefix":"/","scope":"two scopes"}}',
  '{"a":{"origin":"https://api.example","pathPrefix":"/","scope":"s","more":1}}',
  '{"a":{"origin":"https://api.example","pathPrefix":"/","scope":"s","acr":"latchkey:9"}}',
  '{"a":{"origin":"https://api.example","pathPrefix":"/","scope":"s","maxAgeSeconds":0}}',
  '{"a":{"origin":"https://api.example","pathPrefix":"/","scope":"s","maxAgeSeconds":"300"}}',
])('refuses the gateways %s', (value) => {
  expect(problemsOf({ ...production, LATCHKEY_GATEWAYS: value })).toEqual([
    expect.stringContaining('LATCHKEY_GATEWAYS'),
  ]);
});

it('knows a risk engine only where one is named, and then with its secret', () => {
  expect(loadConfiguration(production).risk).toBeUndefined();
  const given = { ...production, RISK_URL: 'https://risk.example', RISK_SECRET: longSecret };
  expect(loadConfiguration(given).risk).toEqual({ url: given.RISK_URL, secret: longSecret });
  expect(() => loadConfiguration({ ...given, RISK_SECRET: '' })).toThrow('RISK_SECRET: is missing');
  expect(() => loadConfiguration({ ...given, RISK_URL: 'http://risk.example' })).toThrow(
    'RISK_URL: is not encrypted',
  );
});

it('reads gateways by their ids, https only in production', () => {
  const one = { origin: 'https://api.bank.example', pathPrefix: '/bank', scope: 'accounts:read' };
  const env = { ...production, LATCHKEY_GATEWAYS: JSON.stringify({ one }) };
  expect(loadConfiguration(env).gateways).toEqual({ one });
  const two = { ...one, acr: 'latchkey:2', maxAgeSeconds: 300 };
  const more = { ...production, LATCHKEY_GATEWAYS: JSON.stringify({ one, two }) };
  expect(loadConfiguration(more).gateways).toEqual({ one, two });
  const plain = JSON.stringify({ one: { ...one, origin: 'http://api.bank.example' } });
  expect(problemsOf({ ...production, LATCHKEY_GATEWAYS: plain })).toHaveLength(1);
});
