#!/usr/bin/env node
/**
 * The command line: finds the subcommand and hands it its arguments. Each subcommand is a file of its own, loaded when it is called, so
 * that `help` needs nothing of what `start` needs.
 */
import packageJson from '../package.json' with { type: 'json' };
import { describeError, say, UsageError, warn } from './terminal.ts';

/** Answers the exit code. */
type Command = (args: readonly string[]) => Promise<number>;

interface CommandEntry {
  readonly usage: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
  /** It speaks to the database itself: of the start that runs here when it was told of none. */
  readonly knowsRunningStart?: true;
}

const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  start: {
    usage: 'start [--verbose]',
    summary: 'bring up everything that is not given, on this machine; Ctrl-C ends it',
    load: async () => (await import('./start.ts')).start,
  },
  doctor: {
    usage: 'doctor',
    summary: 'say what was found, what works now, what is missing and how to get it',
    load: async () => (await import('./doctor.ts')).doctor,
  },
  reset: {
    usage: 'reset [--yes]',
    summary: 'remove the data of the embedded servers',
    load: async () => (await import('./reset.ts')).reset,
  },
  migrate: {
    usage: 'migrate [--role-script]',
    summary: 'bring the database of DATABASE_OWNER_URL to the current schema',
    load: async () => (await import('./migrate.ts')).migrateDatabase,
  },
  restored: {
    usage: 'restored [--yes]',
    summary:
      'after PostgreSQL was restored to an earlier point: let nothing that was lost be valid again',
    load: async () => (await import('./restored.ts')).restored,
  },
  deploy: {
    usage: 'deploy promote [--build-id ID]',
    summary: 'give the work to this build of the workers, or to the named one',
    load: async () => (await import('./deploy.ts')).deploy,
  },
  namespace: {
    usage: 'namespace prepare',
    summary: 'make the namespace of TEMPORAL_NAMESPACE, or bring it up to date',
    load: async () => (await import('./namespace.ts')).namespace,
  },
  tenant: {
    usage: 'tenant apply FILE',
    summary: 'make the tenant that a file describes, or bring it to what the file says',
    load: async () => (await import('./tenant.ts')).tenant,
  },
  health: {
    usage: 'health [PATH] [--port N]',
    summary:
      'ask the process on this machine how it is; /readyz of the API when not told otherwise',
    load: async () => (await import('./health.ts')).health,
  },
  staff: {
    usage: 'staff login | whoami | logout',
    summary: 'log in at the operations door through a browser, for the three below',
    load: async () => (await import('./staff.ts')).staff,
  },
  holds: {
    usage: 'holds list | approvals | release ID | approve ID | decline ID',
    summary: 'show who is on hold, and release them by two people',
    load: async () => (await import('./holds.ts')).holds,
  },
  sessions: {
    usage: 'sessions list CUSTOMER | sessions end ID',
    summary: 'show a customer’s sessions, or end one',
    load: async () => (await import('./sessions.ts')).sessions,
  },
  'dead-letters': {
    usage: 'dead-letters list | dead-letters retry ID…',
    summary: 'show what could not be delivered, or deliver it again, under one’s own name',
    load: async () => (await import('./dead-letters.ts')).deadLetters,
  },
  outbox: {
    usage: 'outbox list | outbox retry ID… [--tenant SLUG]',
    summary: 'the same with the database alone, for when the API is down',
    load: async () => (await import('./outbox.ts')).outbox,
    knowsRunningStart: true,
  },
  events: {
    usage: 'events sinks | events resume SINK',
    summary: 'show what waits for each sink of events, or let one go on that said it was gone',
    load: async () => (await import('./events.ts')).events,
    knowsRunningStart: true,
  },
  keys: {
    usage:
      'keys list | keys retire payload|master|index ID | keys new master|payload ID | keys rotate [--emergency] [--tenant SLUG]',
    summary:
      'show the keys that every start demands, let one go, make one that a KMS seals; rotate the signing keys',
    load: async () => (await import('./keys.ts')).keys,
    knowsRunningStart: true,
  },
  'verify-receipt': {
    usage: 'verify-receipt FILE [--keys FILE] [--json]',
    summary:
      'say whether a receipt is genuine, offline; the keys are the bank’s /.well-known/receipt-keys.json',
    load: async () => (await import('./verify-receipt.ts')).verifyReceiptFile,
  },
};

/** Two lines a command: side by side they are too wide for a terminal. */
function help(): string {
  const lines = Object.values(COMMANDS).map(
    ({ usage, summary }) => `  latchkey ${usage}\n      ${summary}`,
  );
  return ['Latchkey: authentication ceremonies as durable workflows.', '', ...lines].join('\n');
}

async function run([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    say(help());
    return 0;
  }
  if (name === '--version' || name === '-v') {
    say(packageJson.version);
    return 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) throw new UsageError(`there is no command ${name}`);
  if (args.includes('--help')) {
    say(`latchkey ${command.usage}\n  ${command.summary}`);
    return 0;
  }
  const call = await load(name, command);
  if (command.knowsRunningStart === true) await takeRunningStart();
  return await call(args);
}

async function takeRunningStart(): Promise<void> {
  const found = await import('./running-start.ts').then(
    ({ runningStartOf }) => runningStartOf(process.env),
    // The image of production has none.
    () => undefined,
  );
  if (found === undefined) return;
  Object.assign(process.env, found.environment);
  warn(`(of the Latchkey that runs here as process ${String(found.pid)})`);
}

/** The image of production brings no embedded servers, and so none of the commands that need them. */
async function load(name: string, command: CommandEntry): Promise<Command> {
  try {
    return await command.load();
  } catch (error) {
    const isLeftOut =
      error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
    if (!isLeftOut) throw error;
    throw new Error(`${name} is for a developer's machine, with a checkout and all its packages`, {
      cause: error,
    });
  }
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  const isUsage =
    error instanceof UsageError ||
    (error instanceof TypeError &&
      'code' in error &&
      String(error.code).startsWith('ERR_PARSE_ARGS'));
  warn(`latchkey: ${describeError(error)}`);
  if (isUsage) warn('Say `latchkey help` for what there is.');
  process.exitCode = isUsage ? 2 : 1;
}
