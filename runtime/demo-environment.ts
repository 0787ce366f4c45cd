/**
 * The environment of the API and the worker on a developer's machine: what was given stays, the rest is filled in with the embedded
 * servers and the demo's published secrets. Development only; it must never be used to complete a production environment.
 */
import { DEMO_SLUG } from '../db/bootstrap.ts';
import {
  DEMO_IDENTITY_SECRET,
  DEMO_LIVENESS_SECRET,
  DEMO_RISK_SECRET,
  DEMO_MASTER_KEYS,
  DEMO_PAYLOAD_KEYS,
  DEMO_SMS_SECRET,
} from './demo-secrets.ts';
import { DEMO_ROLE_MAP } from './staff-people.ts';

export const DEMO_GATEWAY = 'demo-bank';

export interface StackAddresses {
  readonly databaseUrl: string;
  readonly databaseOwnerUrl: string | undefined;
  readonly temporalAddress: string;
  readonly temporalUiUpstream: string | undefined;
  readonly operations: { readonly port: number; readonly url: string };
  /** undefined: staff log in somewhere else. */
  readonly staffDirectory: StaffDirectoryAddress | undefined;
  readonly publicUrl: string;
  readonly apiPort: number;
  /** Of the metrics of each process. */
  readonly metricsPorts: { readonly api: number; readonly worker: number };
  readonly stageControlUrl: string;
  readonly smsUrl: string;
  readonly smtpUrl: string;
  readonly identityUrl: string;
  /** Left out: nobody's liveness is checked. */
  readonly livenessUrl?: string;
}

export interface StaffDirectoryAddress {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** Whether a variable is given, itself or as a file. */
export function isGiven(environment: NodeJS.ProcessEnv, variable: string): boolean {
  return Boolean(environment[variable]) || Boolean(environment[`${variable}_FILE`]);
}

export function demoEnvironment(
  given: NodeJS.ProcessEnv,
  addresses: StackAddresses,
): NodeJS.ProcessEnv {
  const filled: Readonly<Record<string, string | undefined>> = {
    LATCHKEY_MODE: 'development',
    DATABASE_URL: addresses.databaseUrl,
    DATABASE_OWNER_URL: addresses.databaseOwnerUrl,
    TEMPORAL_ADDRESS: addresses.temporalAddress,
    TEMPORAL_NAMESPACE: 'latchkey',
    LATCHKEY_TEMPORAL_UI_UPSTREAM: addresses.temporalUiUpstream,
    LATCHKEY_OPERATIONS_PORT: String(addresses.operations.port),
    LATCHKEY_OPERATIONS_URL: addresses.operations.url,
    LATCHKEY_STAFF: staffOf(addresses.staffDirectory),
    LATCHKEY_PORT: String(addresses.apiPort),
    // Two processes of one environment: startApi and startWorker take their own.
    LATCHKEY_API_METRICS_PORT: String(addresses.metricsPorts.api),
    LATCHKEY_WORKER_METRICS_PORT: String(addresses.metricsPorts.worker),
    LATCHKEY_PUBLIC_URL: addresses.publicUrl,
    LATCHKEY_GATEWAYS: JSON.stringify({
      [DEMO_GATEWAY]: {
        origin: addresses.stageControlUrl,
        scope: 'accounts:read',
        pathPrefix: '/bank',
      },
    }),
    LATCHKEY_MASTER_KEYS: DEMO_MASTER_KEYS,
    LATCHKEY_PAYLOAD_KEYS: DEMO_PAYLOAD_KEYS,
    SMS_URL: addresses.smsUrl,
    SMS_SECRET: DEMO_SMS_SECRET,
    SMTP_URL: addresses.smtpUrl,
    EMAIL_FROM: 'Demo Bank <no-reply@demo-bank.example>',
    IDENTITY_URL: addresses.identityUrl,
    IDENTITY_SECRET: DEMO_IDENTITY_SECRET,
    ...livenessOf(given, addresses.livenessUrl),
    // The stage decides how risky things are.
    RISK_URL: `${addresses.stageControlUrl}/risk`,
    RISK_SECRET: DEMO_RISK_SECRET,
  };
  const missing = Object.entries(filled).filter(
    ([variable, value]) => value !== undefined && !isGiven(given, variable),
  );
  return { ...given, ...Object.fromEntries(missing) };
}

/** Whoever names AWS has a vendor already. */
function livenessOf(given: NodeJS.ProcessEnv, url: string | undefined): NodeJS.ProcessEnv {
  if (url === undefined || given['LIVENESS_VENDOR'] === 'rekognition') return {};
  return { LIVENESS_URL: url, LIVENESS_SECRET: DEMO_LIVENESS_SECRET };
}

/** The demo tenant's entry of LATCHKEY_STAFF. */
function staffOf(directory: StaffDirectoryAddress | undefined): string | undefined {
  if (directory === undefined) return undefined;
  const { issuer, clientId, clientSecret } = directory;
  const claims = { rolesClaim: 'roles', employeeClaim: 'employee_id' };
  const entry = { issuer, clientId, clientSecret, ...claims, roles: DEMO_ROLE_MAP };
  return JSON.stringify({ [DEMO_SLUG]: entry });
}
