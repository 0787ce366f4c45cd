/**
 * Starts a part of a development stack again that ended though nobody wanted it, and says so: a developer kills a worker, or a defect does, and the
 * rest goes on. A part that keeps ending is given up, which ends everything as before; what was told to end is left alone. Production has none of this.
 */
import type { ProcessHost } from './latchkey-processes.ts';

const MOST_RESTARTS = 5;
const WINDOW_MS = 60_000;

export interface SupervisionOptions {
  readonly onLine: (line: string) => void;
  /** Monotonic, milliseconds; the process's own when left out. */
  readonly nowMs?: () => number;
}

export class Supervision {
  readonly #options: SupervisionOptions;
  readonly #restartsMs = new Map<string, number[]>();
  #isBegun = false;

  constructor(options: SupervisionOptions) {
    this.#options = options;
  }

  /** From now on; what ends while everything comes up is a reason not to come up. */
  begin(): void {
    this.#isBegun = true;
  }

  /** The host, but that it hears of an end only when `restart` has not made it good. */
  host(host: ProcessHost, restart: () => Promise<unknown>): ProcessHost {
    return {
      onLine: host.onLine,
      adopt: async (member) => {
        let isTold = false;
        const told = (end: () => Promise<void>) => (): Promise<void> => {
          isTold = true;
          return end();
        };
        const exited = new Promise<unknown>((resolve) => {
          void member.exited?.then(async (exit) => {
            const isBack = !isTold && (await this.#startAgain(member.name, exit, restart));
            if (!isBack) resolve(exit);
          });
        });
        await host.adopt({
          name: member.name,
          stop: told(() => member.stop()),
          kill: told(() => member.kill?.() ?? member.stop()),
          exited,
          ...(member.pid === undefined ? {} : { pid: member.pid }),
        });
      },
    };
  }

  async #startAgain(
    name: string,
    exit: unknown,
    restart: () => Promise<unknown>,
  ): Promise<boolean> {
    if (!this.#isBegun) return false;
    const { onLine, nowMs = () => performance.now() } = this.#options;
    const now = nowMs();
    const lately = (this.#restartsMs.get(name) ?? []).filter((ms) => now - ms < WINDOW_MS);
    const ended = `${name} ended${reasonOf(exit)}`;
    if (lately.length >= MOST_RESTARTS) {
      onLine(
        `${ended}: it was started again ${String(MOST_RESTARTS)} times within a minute, and is given up`,
      );
      return false;
    }
    this.#restartsMs.set(name, [...lately, now]);
    onLine(
      `${ended}: starting it again (${String(lately.length + 1)} of ${String(MOST_RESTARTS)} within a minute)`,
    );
    try {
      await restart();
      return true;
    } catch (error) {
      onLine(`${name} did not start again: ${error instanceof Error ? error.message : 'unknown'}`);
      return false;
    }
  }
}

/** As managed-process.ts tells it; anything else says nothing. */
function reasonOf(exit: unknown): string {
  if (typeof exit !== 'object' || exit === null) return '';
  if ('signal' in exit && typeof exit.signal === 'string') return ` by ${exit.signal}`;
  return 'code' in exit && typeof exit.code === 'number' ? ` with code ${String(exit.code)}` : '';
}
