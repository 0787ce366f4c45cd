import { describe, expect, test } from 'vitest';
import { ConfigurationError, loadConfiguration } from '../../configuration/configuration.ts';
import { demoEnvironment } from '../../runtime/demo-environment.ts';
import { DEMO_FRAUD_KEY, DEMO_STAFF_SECRET, demoFraudJwks } from '../../runtime/demo-secrets.ts';
import { readPorts } from '../../runtime/stack-options.ts';

const addresses = {
  databaseUrl: 'postgres://latchkey_app:demo-1@127.0.0.1:4632/latchkey',
  databaseOwnerUrl: 'postgres://latchkey_owner:demo-2@127.0.0.1:4632/latchkey',
  temporalAddress: '127.0.0.1:4633',
  temporalUiUpstream: 'http://127.0.0.1:4640',
  operations: { port: 4603, url: 'http://localhost:4603' },
  staffDirectory: {
    issuer: 'http://localhost:4602',
    clientId: 'latchkey-operations',
    clientSecret: DEMO_STAFF_SECRET,
  },
  publicUrl: 'http://localhost:4600',
  apiPort: 4600,
  metricsPorts: { api: 4604, worker: 4605 },
  stageControlUrl: 'http://localhost:4601',
  smsUrl: 'http://localhost:4625/sms',
  smtpUrl: 'smtp://127.0.0.1:4626',
  identityUrl: 'http://localhost:4627',
};

describe('the environment of a development start', () => {
  test('is a whole configuration when nothing was given', () => {
    const configuration = loadConfiguration(demoEnvironment({}, addresses));
    expect(configuration.mode).toBe('development');
    expect(configuration.database).toEqual({
      url: addresses.databaseUrl,
      ownerUrl: addresses.databaseOwnerUrl,
    });
    expect(configuration.operations?.url).toBe('http://localhost:4603');
    expect(configuration.staff['demo']).toMatchObject({
      issuer: 'http://localhost:4602',
      roles: { auditor: ['bank-auditor'] },
    });
    expect(configuration.temporalUi).toEqual({
      upstream: 'http://127.0.0.1:4640',
      tenant: 'demo',
      namespace: 'latchkey',
    });
  });

  test('leaves alone what was given, itself or as a file', () => {
    const given = {
      DATABASE_URL: 'postgres://me:mine@db.example/latchkey',
      SMS_SECRET_FILE: '/run/secrets/sms',
    };
    const environment = demoEnvironment(given, addresses);
    expect(environment['DATABASE_URL']).toBe(given.DATABASE_URL);
    expect(environment['SMS_SECRET']).toBeUndefined();
    expect(environment['SMS_SECRET_FILE']).toBe(given.SMS_SECRET_FILE);
  });

  test('is refused by production in every one of its secrets', () => {
    const environment = { ...demoEnvironment({}, addresses), LATCHKEY_MODE: 'production' };
    let problems: readonly string[] = [];
    try {
      loadConfiguration(environment);
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      problems = error.problems;
    }
    const refused = problems.map((problem) => problem.split(':')[0]);
    expect(refused).toEqual(
      expect.arrayContaining([
        'DATABASE_URL',
        'DATABASE_OWNER_URL',
        'LATCHKEY_MASTER_KEYS',
        'LATCHKEY_PAYLOAD_KEYS',
        'SMS_SECRET',
        'IDENTITY_SECRET',
        'LATCHKEY_STAFF',
      ]),
    );
  });

  test('registers only the public half of the fraud key', () => {
    expect(demoFraudJwks().keys[0]).not.toHaveProperty('d');
    expect(JSON.stringify(demoFraudJwks())).not.toContain(DEMO_FRAUD_KEY.d);
  });
});

describe('the ports of a development start', () => {
  test('are those of DESIGN.md section 9', () => {
    expect(readPorts({})).toEqual({
      api: 4600,
      stageControl: 4601,
      staffDirectory: 4602,
      operations: 4603,
      apiMetrics: 4604,
      workerMetrics: 4605,
      inbox: 4625,
      smtp: 4626,
      identityVendor: 4627,
      livenessVendor: 4628,
      postgres: 4632,
      temporal: 4633,
    });
  });

  test('can each be set, and every wrong one is named at once', () => {
    expect(readPorts({ LATCHKEY_POSTGRES_PORT: '5555' }).postgres).toBe(5555);
    expect(() =>
      readPorts({
        LATCHKEY_PORT: '0',
        LATCHKEY_TEMPORAL_PORT: '65536',
        LATCHKEY_INBOX_PORT: '1e3',
      }),
    ).toThrow(
      'LATCHKEY_PORT, LATCHKEY_INBOX_PORT, LATCHKEY_TEMPORAL_PORT: use a number from 1 to 65535',
    );
  });
});
