/**
 * What the stage may break and mend of a development stack, as its buttons see it: the phone's line, the worker with its build, Temporal.
 * Types only.
 */
import type { LineStatus } from './phone-line.ts';

export type PartStatus = 'up' | 'stopping' | 'down' | 'starting';

/** `at` is a moment as ISO 8601 has it; `id` counts up from 1. */
export type PartEvent = { readonly id: number; readonly at: string } & Happening;

export type Happening =
  | { readonly what: 'answer_lost'; readonly path: string; readonly status: number }
  | {
      readonly what:
        | 'line_restored'
        | 'worker_stopped'
        | 'worker_started'
        | 'temporal_stopped'
        | 'temporal_started';
    }
  | { readonly what: 'deployed'; readonly from: string; readonly to: string };

export interface Deployment {
  readonly from: string;
  readonly to: string;
  /** `starting`: the new worker does not poll yet; `draining`: it has the work, the old one hands back its own. */
  readonly phase: 'starting' | 'draining' | 'done' | 'failed';
}

export interface PartsView {
  readonly line: { readonly status: LineStatus; readonly since: string };
  /** `buildId` is of the newest build that was made current. */
  readonly worker: {
    readonly status: PartStatus;
    readonly since: string;
    readonly buildId?: string;
  };
  /** `not_ours`: TEMPORAL_ADDRESS names a server that this stack must not stop. */
  readonly temporal: { readonly status: PartStatus | 'not_ours'; readonly since: string };
  readonly deployment?: Deployment;
  readonly events: readonly PartEvent[];
}

/** Why a part cannot be changed now. */
export type PartRefusal = 'not_ours' | 'worker_down' | 'temporal_down';

export interface Parts {
  view(): PartsView;
  dropNextAnswer(): void;
  restoreLine(): void;
  stopWorker(): Promise<void>;
  startWorker(): Promise<void>;
  stopTemporal(): Promise<PartRefusal | undefined>;
  startTemporal(): Promise<PartRefusal | undefined>;
  /** A second worker with another build id, made current, then the old one drained. */
  deploy(): Promise<PartRefusal | undefined>;
  resumeAll(): Promise<void>;
  /** As before anybody pressed a button: everything up, nothing remembered. */
  startOver(): Promise<void>;
}
