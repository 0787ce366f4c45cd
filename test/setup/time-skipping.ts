/** A time-skipping server of its own for a test file; its clock starts at the machine's time and jumps ahead of it. */
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { findTimeSkippingServer } from '../../runtime/time-skipping-server.ts';

/** Call it in `beforeAll`, and `teardown()` in `afterAll`. */
export async function createTimeSkippingEnvironment(): Promise<TestWorkflowEnvironment> {
  const path = await findTimeSkippingServer();
  return await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path } },
  });
}
