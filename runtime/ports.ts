/**
 * TCP ports on loopback: a free one, whether one is taken, and by whom. It must never end the holder of a port:
 * naming it is all that `start` and `doctor` do.
 */
import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { basename } from 'node:path';
import { promisify } from 'node:util';

const LOOPBACK = '127.0.0.1';
const LISTENING = '0A';

export interface PortHolder {
  readonly pid: number;
  readonly name: string;
}

/** Below every system's range for outgoing connections: one of those would keep a server from coming back to its port. */
const FREE_PORTS = { from: 15_000, to: 32_000 } as const;
const TRIES = 100;

/** A port that was free a moment ago; whoever binds it must still expect to lose a race. */
export async function findFreePort(): Promise<number> {
  for (let tried = 0; tried < TRIES; tried += 1) {
    const port = randomInt(FREE_PORTS.from, FREE_PORTS.to);
    if (await canListen(port)) return port;
  }
  throw new Error(`none of ${String(TRIES)} TCP ports was free`);
}

async function canListen(port: number): Promise<boolean> {
  const server = createServer();
  return await new Promise((resolve) => {
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, LOOPBACK, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}

/** Whether somebody listens on the port of the loopback address. */
export async function isPortTaken(port: number, host = LOOPBACK): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ port, host });
    const answer = (isTaken: boolean) => {
      socket.destroy();
      resolve(isTaken);
    };
    socket.once('connect', () => {
      answer(true);
    });
    socket.once('error', () => {
      answer(false);
    });
  });
}

/**
 * Keeps the port of a stopped server from another program; whoever connects is sent away at once. Resolves with how to let it go.
 * @throws Error when somebody has it already.
 */
export async function holdPort(port: number): Promise<() => Promise<void>> {
  const server = createServer((socket) => socket.resetAndDestroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, LOOPBACK, resolve);
  });
  return () =>
    new Promise((resolve) => {
      server.close(() => {
        resolve();
      });
    });
}

/** Who listens on the port; undefined when nobody does or the machine does not tell. */
export async function findPortHolder(port: number): Promise<PortHolder | undefined> {
  return process.platform === 'linux' ? await holderFromProc(port) : await holderFromLsof(port);
}

/** One sentence for a person: which port, what wants it, who holds it and what to do. */
export async function describeTakenPort(purpose: string, port: number): Promise<string> {
  const holder = await findPortHolder(port);
  const by = holder === undefined ? 'another process' : `${holder.name} (process ${holder.pid})`;
  return `port ${port}, wanted for ${purpose}, is held by ${by}: end it, or choose another port; \`npx latchkey doctor\` names the variable of each`;
}

async function holderFromProc(port: number): Promise<PortHolder | undefined> {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'utf8').catch(() => '')),
  );
  const inodes = new Set(tables.flatMap((table) => listeningInodes(table, port)));
  if (inodes.size === 0) return undefined;
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  for (const pid of pids) {
    if (await holdsSocket(pid, inodes)) return { pid, name: await processName(pid) };
  }
  return undefined;
}

function listeningInodes(table: string, port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[1]?.endsWith(`:${wanted}`) === true && columns[3] === LISTENING)
    .flatMap((columns) => (columns[9] === undefined ? [] : [columns[9]]));
}

async function holdsSocket(pid: number, inodes: ReadonlySet<string>): Promise<boolean> {
  const names = await readdir(`/proc/${pid}/fd`).catch(() => []);
  for (const name of names) {
    const target = await readlink(`/proc/${pid}/fd/${name}`).catch(() => '');
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined && inodes.has(inode)) return true;
  }
  return false;
}

/** The program's name alone: arguments may hold secrets, and what a process calls itself may be a thread's name (Node's is MainThread). */
async function processName(pid: number): Promise<string> {
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  const program = basename(commandLine.split('\0')[0]?.split(' ')[0] ?? '').replace(/:$/, '');
  if (program !== '') return program;
  return (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => 'unknown')).trim();
}

async function holderFromLsof(port: number): Promise<PortHolder | undefined> {
  const output = await promisify(execFile)('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'])
    .then(({ stdout }) => stdout)
    .catch(() => '');
  const pid = /^p(\d+)$/m.exec(output)?.[1];
  const name = /^c(.+)$/m.exec(output)?.[1];
  return pid === undefined ? undefined : { pid: Number(pid), name: name ?? 'unknown' };
}
