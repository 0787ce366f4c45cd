/** What a part of the bench is: it measures on the bed it is given and answers rows of the table. */
import type { Baselines } from '../baselines.ts';
import type { Bed } from '../bed.ts';
import type { Measured } from '../load.ts';
import type { Phone } from '../people.ts';
import type { Target } from '../statistics.ts';

export interface Size {
  readonly rounds: number;
  readonly seconds: number;
  readonly baselineSeconds: number;
  readonly isQuick: boolean;
}

export interface Bench {
  readonly bed: Bed;
  readonly baselines: Baselines;
  readonly size: Size;
  /** 10,000 customers, each with a device, a passkey and a live session; the same for all parts. */
  readonly phones: () => Promise<readonly Phone[]>;
  readonly say: (line: string) => void;
}

export interface Row {
  readonly figure: string;
  /** As a person reads it, with its unit. */
  readonly measured: string;
  readonly baseline: string;
  /** What the target is about: a ratio, milliseconds, MiB, errors. */
  readonly value: number;
  readonly unit: 'ratio' | 'ms' | 'MiB' | 'errors' | 'events';
  readonly target: Target;
  /** The same value of the bare work alone, in the same run: what no change of ours can better on this machine. */
  readonly floor?: { readonly value: number; readonly measured: string };
  /** Everything seen, by round. */
  readonly seen: Readonly<Record<string, number | readonly number[]>>;
}

export type Part = (bench: Bench) => Promise<readonly Row[]>;

/** @throws Error when any answer was wrong: such a figure is none. */
export function withoutErrors(what: string, measured: Measured): Measured {
  if (measured.errors > 0)
    throw new Error(
      `${what}: ${String(measured.errors)} of ${String(measured.requests)} failed, first: ${String(measured.firstError)}`,
    );
  return measured;
}
