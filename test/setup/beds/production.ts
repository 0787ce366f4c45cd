/**
 * Our services of docker-compose.yml as processes: the image's tree, the service's command and environment and nothing else of ours, as its
 * user when we may change to one. The servers stand on this machine instead of in containers; that is the only thing changed.
 */
import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startProcess } from '../../../runtime/managed-process.ts';
import type { ManagedProcess } from '../../../runtime/managed-process.ts';
import { waitUntilReady } from '../../../runtime/readiness.ts';
import { durationMs } from '../documents/compose.ts';
import type { Compose, ComposeService } from '../documents/compose.ts';
import { imageEnvironment, layImageTree } from '../documents/image-tree.ts';

export interface ProductionOptions {
  readonly compose: Compose;
  /** What stands in an environment, and what it is on this machine. */
  readonly replaced: Readonly<Record<string, string>>;
}

export interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

export interface RunningService extends ManagedProcess {
  readonly said: () => string;
  /** Resolves when it has said so. @throws Error with all it said, when it ends instead or takes too long. */
  readonly says: (text: string) => Promise<void>;
}

/** A start with its bundle of workflows takes seconds on a busy machine. */
const SAYING_TIMEOUT_MS = 90_000;

export class Production {
  /** The files of the compose file's secrets, where its containers find them. */
  readonly secrets: string;
  readonly #folder: string;
  readonly #options: ProductionOptions;
  readonly #running: RunningService[] = [];

  private constructor(folder: string, options: ProductionOptions) {
    this.#folder = folder;
    this.#options = options;
    this.secrets = join(folder, 'secrets');
  }

  static async lay(options: ProductionOptions): Promise<Production> {
    const folder = await mkdtemp(join(tmpdir(), 'latchkey-image-'));
    await chmod(folder, 0o755);
    const production = new Production(folder, options);
    await layImageTree(join(folder, 'app'));
    await mkdir(join(folder, 'bin'));
    // The image brings its Node along; ours may lie where the service's user cannot go.
    await copyFile(process.execPath, join(folder, 'bin/node'));
    await chmod(join(folder, 'bin/node'), 0o755);
    await mkdir(join(folder, 'tmp'));
    await chmod(join(folder, 'tmp'), 0o1777);
    if (process.getuid?.() !== 0)
      await promisify(execFile)('chmod', ['-R', 'a-w', join(folder, 'app')]);
    return production;
  }

  /** Runs ops/compose/secrets.sh as an operator would, then puts the addresses of this machine into what it made. */
  async makeSecrets(written: Readonly<Record<string, string>>, smtpUrl: string): Promise<void> {
    await mkdir(this.secrets);
    for (const [name, text] of Object.entries(written))
      await writeFile(join(this.secrets, name), text);
    await promisify(execFile)('sh', ['ops/compose/secrets.sh', this.secrets], {
      env: { PATH: process.env['PATH'], SMTP_URL: smtpUrl },
    });
    // Compose mounts each file into its container, whatever its folder's mode.
    await chmod(this.secrets, 0o755);
    for (const name of ['database_url', 'database_owner_url']) {
      const path = join(this.secrets, name);
      const text = this.#replace(await readFile(path, 'utf8'));
      await chmod(path, 0o644);
      await writeFile(path, text);
    }
  }

  secret(name: string): Promise<string> {
    return readFile(join(this.secrets, name), 'utf8');
  }

  /** The service's command, to its end. */
  async run(name: string, command = this.#service(name).command ?? []): Promise<Outcome> {
    const lines: string[] = [];
    const started = await this.#launch(name, command, lines);
    const { code } = await started.exited;
    return { code, output: lines.join('\n') };
  }

  async start(name: string): Promise<RunningService> {
    const lines: string[] = [];
    const started = await this.#launch(name, this.#service(name).command ?? [], lines);
    const said = () => lines.join('\n');
    const service: RunningService = {
      ...started,
      said,
      says: (text) =>
        waitUntilReady(() => Promise.resolve(said().includes(text)), {
          what: name,
          timeoutMs: SAYING_TIMEOUT_MS,
          gaveUp: started.exited,
        }).catch((cause: unknown) => {
          throw new Error(`${name} did not say "${text}":\n${said()}`, { cause });
        }),
    };
    this.#running.push(service);
    return service;
  }

  /** The service's own health check, run inside as Docker would. */
  async checkHealth(name: string): Promise<Outcome> {
    const [form, ...command] = this.#service(name).healthcheck?.test ?? [];
    if (form !== 'CMD') throw new TypeError(`${name} has no health check that is a command`);
    return await this.run(
      name,
      command.map((word) => this.#replace(word)),
    );
  }

  async remove(): Promise<void> {
    for (const service of this.#running) await service.kill();
    if (process.getuid?.() !== 0) await promisify(execFile)('chmod', ['-R', 'u+w', this.#folder]);
    await rm(this.#folder, { recursive: true, force: true });
  }

  #service(name: string): ComposeService {
    const service = this.#options.compose.services[name];
    if (service === undefined) throw new Error(`there is no service ${name}`);
    return service;
  }

  async #launch(
    name: string,
    command: readonly string[],
    lines: string[],
  ): Promise<ManagedProcess> {
    const service = this.#service(name);
    const [program = '', ...args] = command.map((word) => this.#inside(word));
    const [uid, gid] = (service.user ?? '').split(':').map(Number);
    const canChangeUser = process.getuid?.() === 0 && uid !== undefined && gid !== undefined;
    return await startProcess({
      name,
      command: program === 'node' ? join(this.#folder, 'bin/node') : program,
      args,
      cwd: join(this.#folder, 'app'),
      env: this.#environment(service),
      stopGraceMs: durationMs(service.stop_grace_period),
      onLine: (line) => {
        lines.push(line);
      },
      ...(canChangeUser ? { uid, gid } : {}),
    });
  }

  #environment(service: ComposeService): NodeJS.ProcessEnv {
    const given = Object.entries({ ...imageEnvironment(), ...service.environment });
    const hasTmp = service.tmpfs?.includes('/tmp') ?? false;
    return {
      ...Object.fromEntries(
        given.map(([variable, value]) => [variable, this.#replace(this.#inside(value))]),
      ),
      PATH: join(this.#folder, 'bin'),
      // Nothing of the file system can be written but what compose mounts.
      HOME: '/nonexistent',
      TMPDIR: hasTmp ? join(this.#folder, 'tmp') : '/nonexistent',
    };
  }

  #inside(text: string): string {
    return text.replace(/^\/run\/secrets\/([a-z_]+)$/, (_, secret: string) => {
      const file = this.#options.compose.secrets[secret]?.file ?? '';
      return join(this.secrets, file.slice(file.lastIndexOf('/') + 1));
    });
  }

  #replace(text: string): string {
    return Object.entries(this.#options.replaced).reduce(
      (changed, [from, to]) => changed.replaceAll(from, to),
      text,
    );
  }
}
