/** Where the parts of a development stack listen and lie: fixed defaults for `npm start`, each settable by its variable. */
import { resolve } from 'node:path';
import type { ProcessHost } from './latchkey-processes.ts';

export interface StackPorts {
  readonly api: number;
  readonly stageControl: number;
  /** Where the demo's staff log in. */
  readonly staffDirectory: number;
  /** The operations door of the API, with Temporal's web UI behind it. */
  readonly operations: number;
  readonly apiMetrics: number;
  readonly workerMetrics: number;
  readonly inbox: number;
  readonly smtp: number;
  readonly identityVendor: number;
  readonly livenessVendor: number;
  readonly postgres: number;
  readonly temporal: number;
}

export interface StackOptions extends ProcessHost {
  readonly environment: NodeJS.ProcessEnv;
  readonly directory: string;
  readonly ports: StackPorts;
  /** Done before the API starts: it serves the pages that it finds then. */
  readonly pagesAreBuilt?: Promise<void>;
  /** How long the phone has no line after an answer was lost. */
  readonly noLineMs?: number;
  /** Whether a worker or an API that ends by itself is started again: for people, not for tests that end one. */
  readonly isSupervised?: boolean;
  /** What a person is told while it takes a while. */
  readonly onProgress: (line: string) => void;
}

const PORT_VARIABLES: Readonly<Record<keyof StackPorts, readonly [string, number]>> = {
  api: ['LATCHKEY_PORT', 4600],
  stageControl: ['LATCHKEY_STAGE_CONTROL_PORT', 4601],
  staffDirectory: ['LATCHKEY_STAFF_DIRECTORY_PORT', 4602],
  operations: ['LATCHKEY_OPERATIONS_PORT', 4603],
  apiMetrics: ['LATCHKEY_API_METRICS_PORT', 4604],
  workerMetrics: ['LATCHKEY_WORKER_METRICS_PORT', 4605],
  inbox: ['LATCHKEY_INBOX_PORT', 4625],
  smtp: ['LATCHKEY_INBOX_SMTP_PORT', 4626],
  identityVendor: ['LATCHKEY_IDENTITY_PORT', 4627],
  livenessVendor: ['LATCHKEY_LIVENESS_PORT', 4628],
  postgres: ['LATCHKEY_POSTGRES_PORT', 4632],
  temporal: ['LATCHKEY_TEMPORAL_PORT', 4633],
};

/** The variable that sets the port, for whoever must choose another one. */
export function portVariable(name: keyof StackPorts): string {
  return PORT_VARIABLES[name][0];
}

/** @throws Error that names every variable that is no port. */
export function readPorts(environment: NodeJS.ProcessEnv): StackPorts {
  const wrong: string[] = [];
  const read = (name: keyof StackPorts): number => {
    const [variable, standard] = PORT_VARIABLES[name];
    const text = environment[variable];
    if (text === undefined || text === '') return standard;
    const port = Number(text);
    if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535) wrong.push(variable);
    return port;
  };
  const ports: StackPorts = {
    api: read('api'),
    stageControl: read('stageControl'),
    staffDirectory: read('staffDirectory'),
    operations: read('operations'),
    apiMetrics: read('apiMetrics'),
    workerMetrics: read('workerMetrics'),
    inbox: read('inbox'),
    smtp: read('smtp'),
    identityVendor: read('identityVendor'),
    livenessVendor: read('livenessVendor'),
    postgres: read('postgres'),
    temporal: read('temporal'),
  };
  if (wrong.length > 0) throw new Error(`${wrong.join(', ')}: use a number from 1 to 65535`);
  return ports;
}

/** Where the embedded servers keep their data: LATCHKEY_DIRECTORY, else `.latchkey` of the checkout. */
export function stackDirectory(environment: NodeJS.ProcessEnv, checkout: string): string {
  return resolve(checkout, environment['LATCHKEY_DIRECTORY'] || '.latchkey');
}
