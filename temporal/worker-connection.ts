/** The Workers' connection to Temporal: they have nothing to do without it, so they wait for it. */
import { setTimeout as pause } from 'node:timers/promises';
import { NativeConnection } from '@temporalio/worker';
import { addressOf } from './connection.ts';
import type { TemporalAddress } from './connection.ts';

const RECONNECT_MS = 1_000;

/** Tries until Temporal answers; undefined when it was told to stop first. */
export async function connectWorkers(
  temporal: TemporalAddress,
  {
    signal,
    onRefused,
  }: { readonly signal: AbortSignal; readonly onRefused: (error: unknown) => void },
): Promise<NativeConnection | undefined> {
  while (!signal.aborted) {
    try {
      return await NativeConnection.connect(addressOf(temporal));
    } catch (error) {
      onRefused(error);
      await pause(RECONNECT_MS, undefined, { signal }).catch(() => undefined);
    }
  }
  return undefined;
}
