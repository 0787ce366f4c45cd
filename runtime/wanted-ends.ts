/**
 * Tells a process that a button ended from one that ended though nobody wanted it: only the latter may end everything else. Whoever runs
 * the processes keeps both, so that nothing is left behind at Ctrl-C.
 */
import type { ProcessHost } from './latchkey-processes.ts';
import type { ManagedProcess } from './managed-process.ts';

export class WantedEnds {
  readonly #wanted = new WeakSet<object>();

  /** The host, but that it does not hear of the ends that were wanted. */
  host(host: ProcessHost): ProcessHost {
    return {
      onLine: host.onLine,
      adopt: async (member) => {
        let isOver = false;
        void member.exited?.then(() => {
          isOver = true;
        });
        const unlessOver = async (end: () => Promise<void>): Promise<void> => {
          // Its id may be another process by now.
          if (!isOver) await end();
        };
        const exited = new Promise<unknown>((resolve) => {
          void member.exited?.then((exit) => {
            if (!this.#wanted.has(member)) resolve(exit);
          });
        });
        await host.adopt({
          name: member.name,
          stop: () => unlessOver(() => member.stop()),
          kill: () => unlessOver(() => member.kill?.() ?? member.stop()),
          exited,
          ...(member.pid === undefined ? {} : { pid: member.pid }),
        });
      },
    };
  }

  /** Ends it in order; returns when it and everything below it has ended. */
  async end(process: ManagedProcess): Promise<void> {
    this.#wanted.add(process);
    await process.stop();
  }
}
