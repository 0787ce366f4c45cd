/**
 * docker-compose.yml as a test reads it: anchors merged, variables put in as compose does. It knows the few forms that the file uses and
 * refuses others, so that nothing is read as something it is not.
 */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export type Condition = 'service_started' | 'service_healthy' | 'service_completed_successfully';

export interface ComposeService {
  readonly image: string;
  readonly pull_policy?: string;
  readonly user?: string;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly volumes?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly ports?: readonly string[];
  readonly networks?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: Condition }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly init?: boolean;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly restart?: string;
  readonly stop_grace_period?: string;
  readonly logging?: { readonly driver: string };
  readonly deploy?: {
    readonly resources?: {
      readonly limits?: {
        readonly cpus?: string;
        readonly memory?: string;
        readonly pids?: number;
      };
    };
  };
}

export interface Compose {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

export const COMPOSE_FILE = 'docker-compose.yml';
/** NAME, and `-` with what stands in for it or `?` with what is said when it is missing. */
const VARIABLE = /\$\{([A-Z][A-Z0-9_]*)(?::([-?])([^}]*))?\}/g;

/** The variables that the file takes from its environment or `.env`. */
export function variablesOf(text = readFileSync(COMPOSE_FILE, 'utf8')): string[] {
  return [...new Set([...text.matchAll(VARIABLE)].map(([, name = '']) => name))].toSorted();
}

/** Values are put in after the YAML is read, as compose does. @throws Error naming a variable that must be given and is not. */
export function readCompose(environment: Readonly<Record<string, string>>): Compose {
  const put = (_: string, name: string, kind: string | undefined, rest: string | undefined) => {
    const value = environment[name] ?? '';
    if (value !== '') return value;
    if (kind === '?') throw new Error(`${name}: ${rest ?? 'is missing'}`);
    return rest ?? '';
  };
  const document: unknown = parse(readFileSync(COMPOSE_FILE, 'utf8'), { merge: true });
  // Its shape is asserted by the tests that read it.
  return mapTexts(document, (text) => text.replaceAll(VARIABLE, put)) as Compose;
}

function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item: unknown) => mapTexts(item, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, mapTexts(member, change)]),
  );
}

/** `15s` or `1m` in milliseconds. */
export function durationMs(text: string | undefined): number {
  const [, amount, unit] = /^([0-9]+)(s|m)$/.exec(text ?? '10s') ?? [];
  if (amount === undefined) throw new TypeError('not a duration of this file');
  return Number(amount) * (unit === 'm' ? 60_000 : 1_000);
}

/** Services in an order in which each comes after those it depends on. */
export function startOrder({ services }: Compose): string[] {
  const order: string[] = [];
  const visit = (name: string, path: readonly string[]): void => {
    if (order.includes(name)) return;
    if (path.includes(name)) throw new Error(`${[...path, name].join(' → ')} is a circle`);
    const service = services[name];
    if (service === undefined) throw new Error(`there is no service ${name}`);
    for (const other of Object.keys(service.depends_on ?? {})) visit(other, [...path, name]);
    order.push(name);
  };
  for (const name of Object.keys(services)) visit(name, []);
  return order;
}
