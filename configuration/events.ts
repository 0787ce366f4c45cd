/**
 * Where events go, from the environment: sinks by name. It must never put a secret or an address into a message, nor take a webhook in
 * production that is not encrypted.
 */
import { demoMarker, readUrl } from './environment.ts';
import type { EnvironmentReader } from './environment.ts';

interface EverySink {
  /** Under which its deliveries are remembered. */
  readonly name: string;
  /** Slugs; all tenants when left out. */
  readonly tenants?: readonly string[];
}

export type EventSinkConfiguration =
  | (EverySink & { readonly kind: 'stdout' })
  | (EverySink & {
      readonly kind: 'eventbridge';
      readonly bus: string;
      readonly region: string;
      readonly endpoint?: string;
    })
  | (EverySink & {
      readonly kind: 'webhook';
      readonly url: string;
      readonly secrets: readonly string[];
      readonly allowsPrivateAddresses: boolean;
    });

const VARIABLE = 'LATCHKEY_EVENT_SINKS';
const FORM =
  'use JSON: {"name": {"kind": "stdout"}, "name": {"kind": "eventbridge", "bus": "…", "region": "…"}, "name": {"kind": "webhook", "url": "https://…", "secrets": ["whsec_…"]}}';
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const BUS = /^[A-Za-z0-9._/:-]{1,1600}$/;
const REGION = /^[a-z]{2}(?:-[a-z]+)+-[0-9]{1,2}$/;
/** Standard Webhooks, "Signature scheme": 24 to 64 random bytes in base64. */
const SECRET = /^whsec_[A-Za-z0-9+/]{32,86}={0,2}$/;
const MAX_SECRETS = 4;

/** Standard output alone by default; `{}` for none. */
export const readEventSinks = (reader: EnvironmentReader): readonly EventSinkConfiguration[] => {
  const value = reader.optional(VARIABLE);
  if (value === undefined) return [{ kind: 'stdout', name: 'stdout' }];
  const entries = entriesOf(parsed(value));
  const sinks = entries?.map(([name, entry]) => sinkOf(name, new Map(entriesOf(entry))));
  const valid = sinks?.filter((sink) => sink !== undefined);
  if (valid === undefined || valid.length < (sinks?.length ?? 0)) {
    reader.refuse(VARIABLE, 'has the wrong form', FORM);
    return [];
  }
  if (reader.isProduction) refuseUnsafe(reader, valid);
  return valid;
};

const refuseUnsafe = (reader: EnvironmentReader, sinks: readonly EventSinkConfiguration[]) => {
  const addresses = sinks.flatMap((sink) => {
    if (sink.kind === 'webhook') return [sink.url];
    return sink.kind === 'eventbridge' && sink.endpoint !== undefined ? [sink.endpoint] : [];
  });
  if (addresses.some((address) => !address.startsWith('https:')))
    reader.refuse(VARIABLE, 'names an address that is not https', 'use https:// in production');
  const secrets = sinks.flatMap((sink) => (sink.kind === 'webhook' ? sink.secrets : []));
  if (secrets.some((secret) => decoded(secret).toString('latin1').startsWith(demoMarker)))
    reader.refuse(VARIABLE, 'has a demo secret', 'generate one of your own');
};

const decoded = (secret: string): Buffer => Buffer.from(secret.slice('whsec_'.length), 'base64');

type Members = ReadonlyMap<string, unknown>;

const sinkOf = (name: string, members: Members): EventSinkConfiguration | undefined => {
  const tenants = members.get('tenants');
  if (!NAME.test(name) || !(tenants === undefined || isListOf(tenants, NAME))) return undefined;
  const every = { name, ...(tenants === undefined ? {} : { tenants }) };
  switch (members.get('kind')) {
    case 'stdout':
      return hasOnly(members, []) ? { kind: 'stdout', ...every } : undefined;
    case 'eventbridge':
      return eventBridgeOf(every, members);
    case 'webhook':
      return webhookOf(every, members);
    default:
      return undefined;
  }
};

const eventBridgeOf = (every: EverySink, members: Members): EventSinkConfiguration | undefined => {
  const [bus, region, endpoint] = ['bus', 'region', 'endpoint'].map((name) => members.get(name));
  const isShaped =
    hasOnly(members, ['bus', 'region', 'endpoint']) && isText(bus, BUS) && isText(region, REGION);
  if (!isShaped || !(endpoint === undefined || isAddress(endpoint))) return undefined;
  return {
    kind: 'eventbridge',
    ...every,
    bus,
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
  };
};

const webhookOf = (every: EverySink, members: Members): EventSinkConfiguration | undefined => {
  const [url, secrets] = [members.get('url'), members.get('secrets')];
  const allowsPrivateAddresses = members.get('allowsPrivateAddresses') ?? false;
  const isShaped =
    hasOnly(members, ['url', 'secrets', 'allowsPrivateAddresses']) &&
    isAddress(url) &&
    isListOf(secrets, SECRET) &&
    secrets.length <= MAX_SECRETS &&
    secrets.every((secret) => decoded(secret).length >= 24 && decoded(secret).length <= 64) &&
    typeof allowsPrivateAddresses === 'boolean';
  return isShaped ? { kind: 'webhook', ...every, url, secrets, allowsPrivateAddresses } : undefined;
};

/** Beside what every sink has. */
const hasOnly = (members: Members, names: readonly string[]): boolean =>
  [...members.keys()].every((name) => ['kind', 'tenants', ...names].includes(name));

const isText = (value: unknown, form: RegExp): value is string =>
  typeof value === 'string' && form.test(value);

/** At least one. */
const isListOf = (value: unknown, form: RegExp): value is readonly string[] =>
  Array.isArray(value) && value.length > 0 && value.every((entry) => isText(entry, form));

/** Without credentials, which would be sent to wherever the name leads. */
const isAddress = (value: unknown): value is string => {
  const url = typeof value === 'string' ? readUrl(value) : undefined;
  return (
    url !== undefined &&
    ['http:', 'https:'].includes(url.protocol) &&
    url.username === '' &&
    url.password === '' &&
    url.hash === ''
  );
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

const entriesOf = (value: unknown): readonly (readonly [string, unknown])[] | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.entries(value)
    : undefined;
