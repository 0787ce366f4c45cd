/**
 * For a command that speaks to the database itself and was told of none: where the `latchkey start` that runs in this checkout has it, and the
 * demo's keys. It must never add to an environment that says anything of its own, nor to a production one.
 */
import { DEMO_MASTER_KEYS, DEMO_PAYLOAD_KEYS } from '../runtime/demo-secrets.ts';
import { isGiven } from '../runtime/demo-environment.ts';
import { CHECKOUT } from '../runtime/latchkey-processes.ts';
import { embeddedApplicationUrl } from '../runtime/postgres.ts';
import { readPorts, stackDirectory } from '../runtime/stack-options.ts';
import { findRunningStart } from '../runtime/start-record.ts';

const OWN_WORDS = [
  'LATCHKEY_MODE',
  'DATABASE_URL',
  'LATCHKEY_MASTER_KEYS',
  'LATCHKEY_PAYLOAD_KEYS',
  'LATCHKEY_KMS',
];

export interface RunningStart {
  readonly pid: number;
  readonly environment: Readonly<Record<string, string>>;
}

export async function runningStartOf(given: NodeJS.ProcessEnv): Promise<RunningStart | undefined> {
  if (OWN_WORDS.some((variable) => isGiven(given, variable))) return undefined;
  const directory = stackDirectory(given, CHECKOUT);
  const pid = await findRunningStart(directory);
  if (pid === undefined) return undefined;
  const url = await embeddedApplicationUrl(directory, readPorts(given).postgres);
  if (url === undefined) return undefined;
  const environment = {
    LATCHKEY_MODE: 'development',
    DATABASE_URL: url,
    LATCHKEY_MASTER_KEYS: DEMO_MASTER_KEYS,
    LATCHKEY_PAYLOAD_KEYS: DEMO_PAYLOAD_KEYS,
  };
  return { pid, environment };
}
