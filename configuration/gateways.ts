/**
 * The gateways that may ask about requests, from the environment: what each one stands before and which scope it asks for. It must never
 * be taken from a request: whoever chooses the origin chooses which DPoP proofs fit.
 */
import { readUrl } from './environment.ts';
import type { EnvironmentReader } from './environment.ts';

/** What a login can earn. */
type AskableAcr = 'latchkey:1' | 'latchkey:2';

export interface Gateway {
  /** Where clients reach what lies behind it, without a trailing slash. */
  readonly origin: string;
  /** `/`, or a path without a trailing slash. */
  readonly pathPrefix: string;
  /** What a token must carry to pass. */
  readonly scope: string;
  /** At least this authentication strength, and a login no longer ago; left out, any will do. */
  readonly acr?: AskableAcr;
  readonly maxAgeSeconds?: number;
}

const VARIABLE = 'LATCHKEY_GATEWAYS';
const FORM =
  'use JSON: {"id": {"origin": "https://host", "pathPrefix": "/path", "scope": "name"}}, where it asks for more with "acr": "latchkey:2" or "maxAgeSeconds": 300';
const GATEWAY_ID = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const PATH_PREFIX = /^\/$|^(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$/;
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,64}$/;

/** None by default: then no gateway is answered. */
export const readGateways = (reader: EnvironmentReader): Readonly<Record<string, Gateway>> => {
  const value = reader.optional(VARIABLE);
  if (value === undefined) return {};
  const entries = entriesOf(parsed(value))?.map(
    ([id, entry]) => [id, gatewayOf(id, entry)] as const,
  );
  const gateways = entries?.flatMap(([id, gateway]) => (gateway ? [[id, gateway] as const] : []));
  if (gateways === undefined || gateways.length < (entries?.length ?? 0)) {
    reader.refuse(VARIABLE, 'has the wrong form', FORM);
    return {};
  }
  if (reader.isProduction && gateways.some(([, { origin }]) => !origin.startsWith('https:')))
    reader.refuse(VARIABLE, 'names an origin that is not https', 'use https:// in production');
  return Object.fromEntries(gateways);
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

const gatewayOf = (id: string, entry: unknown): Gateway | undefined => {
  const { origin, pathPrefix, scope, acr, maxAgeSeconds, ...unknown } = Object.fromEntries(
    entriesOf(entry) ?? [],
  );
  const isShaped =
    GATEWAY_ID.test(id) &&
    Object.keys(unknown).length === 0 &&
    typeof origin === 'string' &&
    typeof pathPrefix === 'string' &&
    typeof scope === 'string' &&
    isOrigin(origin) &&
    PATH_PREFIX.test(pathPrefix) &&
    SCOPE.test(scope) &&
    (acr === undefined || isAskable(acr)) &&
    (maxAgeSeconds === undefined || isAge(maxAgeSeconds));
  if (!isShaped) return undefined;
  return {
    origin,
    pathPrefix,
    scope,
    ...(acr === undefined ? {} : { acr }),
    ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }),
  };
};

const isAskable = (value: unknown): value is AskableAcr =>
  value === 'latchkey:1' || value === 'latchkey:2';

const isAge = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 86_400;

const isOrigin = (value: string): boolean => {
  const url = readUrl(value);
  return url !== undefined && ['http:', 'https:'].includes(url.protocol) && url.origin === value;
};
