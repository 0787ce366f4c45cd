/**
 * Where PostgreSQL is, from the environment: the application's address, and the owner's for migrations alone. It must never let both be one
 * user, whom row-level security would not hold.
 */
import { demoMarker, readUrl } from './environment.ts';
import type { EnvironmentReader } from './environment.ts';

export interface DatabaseConfiguration {
  readonly url: string;
  readonly ownerUrl?: string;
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || host.startsWith('127.');

const checkDatabaseUrl = (
  reader: EnvironmentReader,
  variable: string,
  value: string,
): URL | undefined => {
  const url = readUrl(value);
  if (
    url === undefined ||
    !['postgres:', 'postgresql:'].includes(url.protocol) ||
    url.pathname.length < 2
  ) {
    reader.refuse(
      variable,
      'is not a PostgreSQL address',
      'use postgres://user:password@host:5432/database',
    );
    return undefined;
  }
  if (reader.isProduction && isLoopback(url.hostname) && url.password.startsWith(demoMarker)) {
    reader.refuse(
      variable,
      'is the embedded demo database',
      'name a managed PostgreSQL and its own password',
    );
  }
  return url;
};

export const readDatabase = (reader: EnvironmentReader): DatabaseConfiguration => {
  const url = reader.required('DATABASE_URL', "set the application role's postgres:// address");
  const ownerUrl = reader.optional('DATABASE_OWNER_URL');
  const application = url === undefined ? undefined : checkDatabaseUrl(reader, 'DATABASE_URL', url);
  const owner =
    ownerUrl === undefined ? undefined : checkDatabaseUrl(reader, 'DATABASE_OWNER_URL', ownerUrl);
  if (application !== undefined && owner !== undefined && application.username === owner.username) {
    reader.refuse(
      'DATABASE_OWNER_URL',
      'has the user of DATABASE_URL',
      'use two roles: an owner is not held by row-level security',
    );
  }
  return { url: url ?? '', ...(ownerUrl === undefined ? {} : { ownerUrl }) };
};

/** The owner's address alone, for migrations and for whatever else only the owner may do. */
export const readOwnerUrl = (reader: EnvironmentReader): string => {
  const url = reader.required(
    'DATABASE_OWNER_URL',
    'set it to the address of the database as its owner',
  );
  if (url !== undefined) checkDatabaseUrl(reader, 'DATABASE_OWNER_URL', url);
  return url ?? '';
};
