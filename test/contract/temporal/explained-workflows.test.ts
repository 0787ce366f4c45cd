/** What Temporal's UI is told of a workflow, read as the UI reads it: through the server, sealed, and opened with the payload key. */
import { Client } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { workflowId } from '../../../domain/ids.ts';
import { createDataConverter } from '../../../temporal/data-converter.ts';
import {
  DEADLINE_ATTRIBUTE,
  OUTCOME_ATTRIBUTE,
  STATE_ATTRIBUTE,
} from '../../../temporal/search-attributes.ts';
import { WORKFLOW_TEXTS } from '../../../temporal/workflow-texts.ts';
import { EnrollmentStack } from '../../setup/beds/enrollment-stack.ts';
import type { Enrollee } from '../../setup/beds/enrollment-stack.ts';
import { TEST_PAYLOAD_KEYS } from '../../setup/payload-keys.ts';

let stack: EnrollmentStack;
let client: Client;

beforeAll(async () => {
  stack = await EnrollmentStack.start();
  const { connection, namespace } = stack;
  const dataConverter = createDataConverter({ namespace, keys: TEST_PAYLOAD_KEYS });
  client = new Client({ connection, namespace, dataConverter });
});
afterAll(() => stack?.close());

const handleOf = ({ enrollmentId }: Enrollee) =>
  client.workflow.getHandle(workflowId('enrollment', stack.api.tenantId, enrollmentId));

async function currentDetails(handle: WorkflowHandle): Promise<string> {
  const metadata = await handle.query<{ readonly currentDetails: string }>(
    '__temporal_workflow_metadata',
  );
  return metadata.currentDetails;
}

/** Every summary of the history, in order, as the codec opens them. */
async function summaries(handle: WorkflowHandle): Promise<string[]> {
  const { events } = await handle.fetchHistory();
  const sealed = (events ?? []).flatMap(({ userMetadata }) => userMetadata?.summary ?? []);
  const { payloadCodecs = [] } = createDataConverter({
    namespace: stack.namespace,
    keys: TEST_PAYLOAD_KEYS,
  });
  const [codec] = payloadCodecs;
  if (codec === undefined) throw new Error('payloads are encrypted by a codec');
  const opened = await codec.decode(sealed, {
    type: 'workflow',
    namespace: stack.namespace,
    workflowId: handle.workflowId,
  });
  return opened.map(({ data }) => JSON.parse(Buffer.from(data ?? []).toString('utf8')) as string);
}

describe('an enrollment in Temporal’s UI', () => {
  test('says what it waits for, who acts, until when, and what is done', async () => {
    const enrollee = await stack.begin();
    await stack.provePhone(enrollee);
    const handle = handleOf(enrollee);
    const details = await currentDetails(handle);
    expect(details).toMatch(
      /^### The customer hands in name and document\.\n\n\*\*Who acts:\*\* the customer, in the app\n\n\*\*Until:\*\* \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, then a reminder is sent\n\n/,
    );
    expect(details).toContain('**Done:** phone\n');
    expect(details).toContain('**Still to come:** identity, e-mail, passkey');
    expect(details).toContain('[Runbook](/runbook#enrollment)');
    expect(details).not.toContain(enrollee.enrollmentId);
    expect(details).not.toContain(enrollee.number.slice(-6));
  });

  test('carries its summary and details from the start, and a summary on each timer and activity', async () => {
    const enrollee = await stack.begin();
    await stack.provePhone(enrollee);
    const handle = handleOf(enrollee);
    const description = await handle.describe();
    expect(await description.staticSummary()).toBe(WORKFLOW_TEXTS.enrollment.summary);
    expect(await description.staticDetails()).toBe(WORKFLOW_TEXTS.enrollment.details);
    const told = await summaries(handle);
    expect(told).toContainEqual(
      expect.stringMatching(/^the code sent by SMS, until .+ UTC, then it expires$/),
    );
    expect(told).toContain('compares the code that the customer typed');
    expect(told).toContain('moves the row to its next state');
  });

  test('can be found by state, deadline and outcome', async () => {
    const enrollee = await stack.begin();
    const handle = handleOf(enrollee);
    // The row moves before the workflow says so.
    await expect
      .poll(async () => (await handle.describe()).typedSearchAttributes.get(STATE_ATTRIBUTE))
      .toBe('phone');
    const { typedSearchAttributes: open } = await handle.describe();
    expect(open.get(DEADLINE_ATTRIBUTE)?.getTime()).toBeGreaterThan(Date.now());
    expect(open.get(OUTCOME_ATTRIBUTE)).toBeUndefined();
    await enrollee.phone.post(`${enrollee.path}/cancel`, {});
    await handle.result();
    const { typedSearchAttributes: closed } = await handle.describe();
    expect(closed.get(STATE_ATTRIBUTE)).toBe('ended');
    expect(closed.get(OUTCOME_ATTRIBUTE)).toBe('cancelled');
    expect(await currentDetails(handle)).toContain(
      '### It has ended: cancelled (cancelled by customer).',
    );
  });
});
