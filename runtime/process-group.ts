/**
 * Everything that one `latchkey start` runs, ended together: in the opposite order of its start, at a signal, at an error or when
 * one of its processes ends by itself (what may be started again: supervision.ts). Nothing may be left behind.
 */
import type { ManagedProcess } from './managed-process.ts';

/** npm passes a terminal's Ctrl-C on, so one key press arrives twice. */
const SAME_KEY_PRESS_MS = 700;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A server, in this process or another one. */
export interface GroupMember {
  readonly name: string;
  stop(): Promise<void>;
  /** Ends it without patience; `stop` is used where there is no other way. */
  kill?(): Promise<void>;
  /** Resolves when it has ended; a member without it ends only with us. */
  readonly exited?: Promise<unknown>;
}

export interface ProcessGroupOptions {
  readonly onLine: (line: string) => void;
}

/** Why a group ended: the exit code of the command. */
export interface GroupEnd {
  readonly exitCode: number;
  readonly reason: string;
}

export class ProcessGroup {
  /** Resolves when everything has ended. */
  readonly ended: Promise<GroupEnd>;
  readonly #onLine: (line: string) => void;
  readonly #members: GroupMember[] = [];
  readonly #resolveEnded: (end: GroupEnd) => void;
  readonly #removeHandlers: () => void;
  #stopping: Promise<void> | undefined;
  #stoppingSinceMs = 0;

  constructor({ onLine }: ProcessGroupOptions) {
    this.#onLine = onLine;
    const { promise, resolve } = Promise.withResolvers<GroupEnd>();
    this.ended = promise;
    this.#resolveEnded = resolve;
    const onSignal = (signal: NodeJS.Signals) => {
      this.#onSignal(signal);
    };
    for (const signal of SIGNALS) process.on(signal, onSignal);
    this.#removeHandlers = () => {
      for (const signal of SIGNALS) process.off(signal, onSignal);
    };
  }

  get isStopping(): boolean {
    return this.#stopping !== undefined;
  }

  /** Takes over the end of a running member; while the group is ending, the newcomer is ended at once. */
  async add(member: GroupMember): Promise<void> {
    if (this.#stopping !== undefined) {
      await (member.kill?.() ?? member.stop());
      throw new Error('stopped while starting');
    }
    this.#members.push(member);
    void member.exited?.then(() => {
      if (this.#stopping !== undefined) return;
      void this.stop({ exitCode: 1, reason: `${member.name} ended unexpectedly` });
    });
  }

  async addProcess(managed: ManagedProcess): Promise<void> {
    await this.add(managed);
  }

  /** Ends every member in the opposite order of its start; a second call joins the first. */
  async stop(end: GroupEnd): Promise<void> {
    this.#stopping ??= this.#stopAll(end);
    await this.#stopping;
  }

  async #stopAll(end: GroupEnd): Promise<void> {
    this.#stoppingSinceMs = performance.now();
    this.#onLine(`stopping: ${end.reason}`);
    for (const member of this.#members.toReversed()) {
      try {
        await member.stop();
      } catch (error) {
        this.#onLine(`${member.name}: ${error instanceof Error ? error.message : 'did not stop'}`);
      }
    }
    this.#removeHandlers();
    this.#resolveEnded(end);
  }

  #onSignal(signal: NodeJS.Signals): void {
    if (this.#stopping === undefined) {
      const exitCode = signal === 'SIGINT' ? 130 : 143;
      void this.stop({ exitCode, reason: `received ${signal}; once more ends everything at once` });
      return;
    }
    if (performance.now() - this.#stoppingSinceMs < SAME_KEY_PRESS_MS) return;
    for (const member of this.#members) void (member.kill?.() ?? member.stop());
  }
}
