/**
 * What nearly every fault test stands on: a whole Latchkey of its own, its rows as they really are, and the workflows that Temporal knows, opened
 * before the tests of a file and closed after them. What is killed in it, the test says itself.
 */
import type postgres from 'postgres';
import { afterAll, beforeAll } from 'vitest';
import { openRows, openTemporalEyes, shortenSecondListing } from '../faults.ts';
import type { TemporalEyes } from '../faults.ts';
import { startTestStack } from '../stack.ts';
import type { TestStack, TestStackOptions } from '../stack.ts';

interface FaultBed {
  readonly stack: TestStack;
  readonly rows: postgres.Sql;
  readonly temporal: TemporalEyes;
}

interface FaultBedOptions extends TestStackOptions {
  /** For files that watch a revocation to its end. */
  readonly hasShortSecondListing?: boolean;
}

/** Call it once, at the top of a file. Read its members inside tests: they are not there before. */
export function prepareFaultBed({
  hasShortSecondListing = false,
  ...options
}: FaultBedOptions = {}): FaultBed {
  const opened: { -readonly [Name in keyof FaultBed]?: FaultBed[Name] } = {};
  beforeAll(async () => {
    const stack = await startTestStack(options);
    opened.stack = stack;
    opened.rows = openRows(stack);
    opened.temporal = await openTemporalEyes(stack);
    if (hasShortSecondListing) await shortenSecondListing(opened.rows);
  });
  afterAll(async () => {
    await opened.temporal?.close();
    await opened.rows?.end();
    await opened.stack?.stop();
  });
  const member = <Name extends keyof FaultBed>(name: Name): FaultBed[Name] => {
    const value = opened[name];
    if (value === undefined) throw new TypeError(`the fault bed has no ${name} before its tests`);
    return value;
  };
  return {
    get stack() {
      return member('stack');
    },
    get rows() {
      return member('rows');
    },
    get temporal() {
      return member('temporal');
    },
  };
}
