/**
 * Brings a database to the schema of db/migrations, forward only, as its owner. All that is due runs in one transaction under an
 * advisory lock: it happens as a whole, once, however many processes start together. It must never run as the application's role.
 */
import { join } from 'node:path';
import Postgrator from 'postgrator';
import postgres from 'postgres';

export const APPLICATION_ROLE = 'latchkey_app';
const MIGRATION_PATTERN = join(import.meta.dirname, 'migrations', '*.sql');
/** Any constant of our own will do: "latchkey" in the first bytes of its SHA-256. */
const LOCK = 5_163_870_423;

/** What an administrator runs when the owner may not make roles. */
export function applicationRoleScript(): string {
  return [
    '-- Run this once as an administrator of the PostgreSQL server, with a password of your own:',
    `create role ${APPLICATION_ROLE} login nosuperuser nobypassrls nocreatedb nocreaterole password 'CHOOSE-ONE';`,
    `-- Then set DATABASE_URL to postgres://${APPLICATION_ROLE}:<password>@<host>:<port>/<database> and migrate again.`,
  ].join('\n');
}

/** The database cannot be migrated as it stands; the message says what to do. */
export class MigrationRefused extends Error {
  override readonly name = 'MigrationRefused';
}

export interface MigrateOptions {
  readonly ownerUrl: string;
}

/** Answers the file names of the migrations that this call applied, in order; empty when there was nothing to do. */
export async function migrate({ ownerUrl }: MigrateOptions): Promise<readonly string[]> {
  const sql = postgres(ownerUrl, { max: 1, connect_timeout: 10, onnotice: () => undefined });
  try {
    const applied: string[] = [];
    await sql.begin(async (tx) => {
      await tx`select set_config('lock_timeout', '120s', true)`;
      await tx`select pg_advisory_xact_lock(${LOCK})`;
      await refuseWrongRoles(tx);
      applied.push(...(await runDueMigrations(tx)));
    });
    return applied;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

async function refuseWrongRoles(tx: postgres.TransactionSql): Promise<void> {
  const [role] = await tx<{ bypasses: boolean; isCaller: boolean }[]>`
    select rolsuper or rolbypassrls as bypasses, rolname = current_user as "isCaller" from pg_roles
    where rolname = ${APPLICATION_ROLE}`;
  if (role === undefined) {
    throw new MigrationRefused(
      `The role ${APPLICATION_ROLE} does not exist.\n${applicationRoleScript()}`,
    );
  }
  if (role.isCaller) {
    throw new MigrationRefused(
      `Migrations run as the owner of the database, not as ${APPLICATION_ROLE}: set DATABASE_OWNER_URL.`,
    );
  }
  if (role.bypasses) {
    throw new MigrationRefused(
      `The role ${APPLICATION_ROLE} bypasses row-level security. Run as an administrator:\n` +
        `alter role ${APPLICATION_ROLE} nosuperuser nobypassrls;`,
    );
  }
}

async function runDueMigrations(tx: postgres.TransactionSql): Promise<readonly string[]> {
  const postgrator = new Postgrator({
    driver: 'pg',
    migrationPattern: MIGRATION_PATTERN,
    schemaTable: 'schemaversion',
    currentSchema: 'public',
    execQuery: async (query) => ({ rows: [...(await tx.unsafe(query))] }),
    execSqlScript: async (script) => {
      await tx.unsafe(script);
    },
  });
  await refuseSkipped(tx, postgrator);
  const applied = await postgrator.migrate().catch((cause: unknown) => {
    throw isOfServer(cause) ? cause : unfit(cause);
  });
  return applied.map(({ filename }) => filename.slice(filename.lastIndexOf('/') + 1));
}

/** The tool goes on after the newest that has run: a file of a lower number that came later it would leave out without a word. */
async function refuseSkipped(tx: postgres.TransactionSql, postgrator: Postgrator): Promise<void> {
  const [table] = await tx<{ isThere: boolean }[]>`
    select to_regclass('public.schemaversion') is not null as "isThere"`;
  if (table?.isThere !== true) return;
  const rows = await tx<{ version: string }[]>`select version::text from schemaversion`;
  const ran = new Set(rows.map(({ version }) => Number(version)));
  const newest = Math.max(0, ...ran);
  const files = await postgrator.getMigrations();
  const skipped = files.find(({ version }) => version < newest && !ran.has(version));
  if (skipped !== undefined)
    throw unfit(new Error(`${skipped.name} (${String(skipped.version)}) was never run here`));
}

function isOfServer(error: unknown): boolean {
  return error instanceof postgres.PostgresError || !(error instanceof Error) || 'code' in error;
}

/** What is left is the tool's own verdict: a file that was changed after it had run, or a schema that is newer than these files. */
function unfit(cause: unknown): MigrationRefused {
  const reason = cause instanceof Error ? cause.message : 'unknown reason';
  return new MigrationRefused(
    `The database does not fit these migrations: ${reason}.\n` +
      'It was made by another version of Latchkey. Use that version or a later one; on your own machine `npx latchkey reset` begins anew.',
    { cause },
  );
}
