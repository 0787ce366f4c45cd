/**
 * Where the staff of each tenant log in, from the environment: an OpenID provider, our client there, and which of its values make which role.
 * A role that nobody mapped is nobody's. It must never put a part of the value into a message: a secret stands in it.
 */
import { demoMarker, readUrl } from './environment.ts';
import type { EnvironmentReader } from './environment.ts';

const ROLES = ['agent', 'supervisor', 'auditor', 'administrator'] as const;

export interface StaffConfiguration {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly rolesClaim: string;
  readonly employeeClaim: string;
  readonly roles: Readonly<Record<(typeof ROLES)[number], readonly string[]>>;
  readonly acrValues?: readonly string[];
}

const VARIABLE = 'LATCHKEY_STAFF';
const FORM =
  'use JSON: {"<tenant>": {"issuer", "clientId", "clientSecret", "rolesClaim", "employeeClaim", "roles": {"agent": ["…"], …}, "acrValues"?: ["…"]}}';
const SLUG = /^[a-z][a-z0-9-]{0,62}$/;
const REQUIRED = ['issuer', 'clientId', 'clientSecret', 'rolesClaim', 'employeeClaim'] as const;
const MEMBERS: ReadonlySet<string> = new Set([...REQUIRED, 'roles', 'acrValues']);
const SECRET_LENGTH = 32;

/** By the tenant's slug; none by default. */
export const readStaff = (
  reader: EnvironmentReader,
): Readonly<Record<string, StaffConfiguration>> => {
  const value = reader.optional(VARIABLE);
  if (value === undefined) return {};
  const document = recordOf(parsed(value));
  const entries = Object.entries(document ?? {}).map(
    ([slug, entry]) => [slug, SLUG.test(slug) ? directoryOf(entry) : undefined] as const,
  );
  const directories = entries.flatMap(([slug, one]) =>
    one === undefined ? [] : [[slug, one] as const],
  );
  if (document === undefined || directories.length < entries.length) {
    reader.refuse(VARIABLE, 'has the wrong form', FORM);
    return {};
  }
  if (reader.isProduction) for (const [, one] of directories) refuseUnsafe(reader, one);
  return Object.fromEntries(directories);
};

const refuseUnsafe = (reader: EnvironmentReader, { issuer, clientSecret }: StaffConfiguration) => {
  if (!issuer.startsWith('https:'))
    reader.refuse(VARIABLE, 'names an issuer that is not https', 'use https:// in production');
  if (clientSecret.startsWith(demoMarker))
    reader.refuse(VARIABLE, 'has a demo secret', 'generate one of your own');
  else if (clientSecret.length < SECRET_LENGTH)
    reader.refuse(
      VARIABLE,
      'has a secret that is too short',
      `use at least ${SECRET_LENGTH} random characters`,
    );
};

const directoryOf = (entry: unknown): StaffConfiguration | undefined => {
  const given = recordOf(entry);
  if (given === undefined || Object.keys(given).some((name) => !MEMBERS.has(name)))
    return undefined;
  const [issuer, clientId, clientSecret, rolesClaim, employeeClaim] = REQUIRED.map((name) =>
    textOf(given[name]),
  );
  const roles = rolesOf(given['roles']);
  const acrValues = given['acrValues'] === undefined ? [] : textsOf(given['acrValues']);
  if (!issuer || !clientId || !clientSecret || !rolesClaim || !employeeClaim) return undefined;
  if (!isIssuer(issuer) || roles === undefined || acrValues === undefined) return undefined;
  const required = { issuer, clientId, clientSecret, rolesClaim, employeeClaim, roles };
  return acrValues.length === 0 ? required : { ...required, acrValues };
};

/** All four are named, so that a misspelt one is no silent nobody. */
const rolesOf = (value: unknown): StaffConfiguration['roles'] | undefined => {
  const given = recordOf(value);
  if (given === undefined || Object.keys(given).length !== ROLES.length) return undefined;
  const [agent, supervisor, auditor, administrator] = ROLES.map((role) => textsOf(given[role]));
  if (!agent || !supervisor || !auditor || !administrator) return undefined;
  return { agent, supervisor, auditor, administrator };
};

const isIssuer = (value: string): boolean => {
  const url = readUrl(value);
  return (
    url !== undefined &&
    ['http:', 'https:'].includes(url.protocol) &&
    url.search === '' &&
    url.hash === '' &&
    url.username === ''
  );
};

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

const textsOf = (value: unknown): readonly string[] | undefined => {
  const texts = Array.isArray(value) ? value.map(textOf) : [undefined];
  const given = texts.filter((text) => text !== undefined);
  return given.length === texts.length ? given : undefined;
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

const recordOf = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : undefined;
