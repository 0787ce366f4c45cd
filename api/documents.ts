/** The committed documents as text: the OpenAPI document and the list of errors, made without any server. */
import { pino } from 'pino';
import { ERRORS, LatchkeyError } from '../domain/errors.ts';
import { buildApp } from './app.ts';
import type { AppDependencies } from './dependencies.ts';

/** docs/openapi.json. */
export async function openApiDocument(): Promise<string> {
  const app = await buildApp(unreachableDependencies());
  try {
    await app.ready();
    return `${JSON.stringify(app.swagger(), undefined, 2)}\n`;
  } finally {
    await app.close();
  }
}

/** docs/errors.md. */
export function errorsDocument(): string {
  const rows = Object.entries(ERRORS).map(
    ([code, { status, title, retryable, public: isPublic }]) =>
      `| \`${code}\` | ${String(status)} | ${title} | ${retryable ? 'yes' : 'no'} | ${isPublic ? 'yes' : 'no, `internal_error` is shown'} |`,
  );
  return [
    '# Errors',
    '',
    'Every way Latchkey refuses, from the one table in `domain/errors.ts`; written by `npm run openapi`, compared by a test. A refusal is an RFC 9457',
    'problem whose `type` is `https://latchkey.dev/problems/<code>`; a code is a literal for ever. At `/oauth/token`, `/oauth/introspect`',
    "and `/oauth/revoke` the same code stands beside RFC 6749's `error`.",
    '',
    '| code | status | what it says | may a retry help? | shown to the caller? |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

/** Building asks nothing of anybody: whatever did would fail here. */
function unreachableDependencies(): AppDependencies {
  const refuse = () => Promise.reject(new LatchkeyError('internal_error'));
  const refuseNow = (): never => {
    throw new LatchkeyError('internal_error');
  };
  return {
    configuration: {
      mode: 'production',
      http: { publicUrl: 'https://latchkey.example', trustedProxies: [] },
      gateways: {},
    },
    database: {
      tenant: refuse,
      statement: refuse,
      tenants: refuse,
      startedAtMs: refuse,
      ping: refuse,
      close: () => Promise.resolve(),
    },
    temporal: {
      start: refuse,
      update: refuse,
      signal: refuse,
      signalWithStart: refuse,
      describe: refuse,
      healthy: () => Promise.resolve(false),
      close: () => Promise.resolve(),
    },
    kms: {
      wrap: refuse,
      unwrap: refuse,
      secret: () => ({ kekId: 'none', key: new Uint8Array(32) }),
    },
    personalData: {
      createKey: refuse,
      seal: refuse,
      open: refuse,
      openAll: refuse,
      blindIndex: refuseNow,
      eraseKey: refuse,
    },
    otpCodes: { codeFor: refuseNow },
    identitySignatures: { isSigned: () => false },
    clock: { nowMs: () => 0 },
    newId: refuseNow,
    logger: pino({ level: 'silent' }),
  };
}
