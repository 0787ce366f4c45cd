/** A workflow for the contract test of the time-skipping server: it sleeps, nothing else. */
import { sleep } from '@temporalio/workflow';

export async function longTimer(durationMs: number): Promise<void> {
  await sleep(durationMs);
}
