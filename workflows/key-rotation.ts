/**
 * The rotation of the signing keys: one round, started every hour by a Temporal Schedule (temporal/schedules.ts). Nobody signals it. Ends with
 * what it did, or fails when a round was not done within the hour: the next one does it, and until then the old keys go on signing.
 * Diagram: docs/flows/key-rotation.mermaid. It must never carry a key.
 */
import type { createKeyRotationActivities, RotationCounts } from '../activities/key-rotation.ts';
import { explainedActivities } from './explained-activities.ts';

// Calls the KMS for each key that it makes; given up before the next round begins.
const { rotateSigningKeys } = explainedActivities<ReturnType<typeof createKeyRotationActivities>>(
  {
    taskQueue: 'vendors',
    startToCloseTimeout: '5 minutes',
    scheduleToCloseTimeout: '50 minutes',
    retry: { initialInterval: '2 seconds', maximumInterval: '1 minute' },
  },
  { rotateSigningKeys: 'makes keys ahead and retires old ones, for every tenant' },
);

export async function keyRotation(): Promise<RotationCounts> {
  return await rotateSigningKeys();
}
