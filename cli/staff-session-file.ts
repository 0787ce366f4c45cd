/**
 * The staff session of this machine's user, kept between commands: one file that only its owner reads. The token in it is as good as its
 * owner's login until it ends; it is never shown and leaves only for the address it was given by.
 */
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

export interface StaffSessionFile {
  /** The operations door, an origin. */
  readonly url: string;
  readonly tenant: string;
  readonly token: string;
  readonly expiresAt: string;
}

/** XDG Base Directory Specification; elsewhere the home folder does. */
function folder(environment: NodeJS.ProcessEnv): string {
  const configured = environment['XDG_CONFIG_HOME'];
  const base =
    configured === undefined || configured === '' ? join(homedir(), '.config') : configured;
  return join(base, 'latchkey');
}

const fileIn = (environment: NodeJS.ProcessEnv) => join(folder(environment), 'staff-session.json');

/** undefined: nobody has logged in here, or the file is not ours to read. */
export async function readStaffSession(
  environment: NodeJS.ProcessEnv,
): Promise<StaffSessionFile | undefined> {
  try {
    return sessionOf(JSON.parse(await readFile(fileIn(environment), 'utf8')));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whole or not at all, and never readable by others on the way. */
export async function keepStaffSession(
  environment: NodeJS.ProcessEnv,
  session: StaffSessionFile,
): Promise<void> {
  const directory = folder(environment);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const file = fileIn(environment);
  const fresh = `${file}.${String(process.pid)}`;
  await writeFile(fresh, `${JSON.stringify(session)}\n`, { mode: 0o600 });
  await chmod(fresh, 0o600);
  await rename(fresh, file);
}

export async function forgetStaffSession(environment: NodeJS.ProcessEnv): Promise<void> {
  await rm(fileIn(environment), { force: true });
}

function sessionOf(value: unknown): StaffSessionFile | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { url, tenant, token, expiresAt } = value as Partial<Record<string, unknown>>;
  const isWhole =
    typeof url === 'string' &&
    typeof tenant === 'string' &&
    typeof token === 'string' &&
    typeof expiresAt === 'string';
  return isWhole ? { url, tenant, token, expiresAt } : undefined;
}
