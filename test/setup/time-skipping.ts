/** A time-skipping Temporal server for one test file, with the search attributes that every workflow is started with. */
import { encodeSearchAttributeIndexedValueType } from '@temporalio/common/lib/search-attributes.js';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { findTimeSkippingServer } from '../../runtime/time-skipping-server.ts';
import {
  CUSTOMER_ATTRIBUTE,
  KIND_ATTRIBUTE,
  STATE_ATTRIBUTE,
  TENANT_ATTRIBUTE,
} from '../../temporal/search-attributes.ts';
import { quietTemporal } from './quiet-temporal.ts';

/** The only namespace that this server has. */
export const TIME_SKIPPING_NAMESPACE = 'default';

export async function createTimeSkippingEnvironment(): Promise<TestWorkflowEnvironment> {
  quietTemporal();
  const env = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: await findTimeSkippingServer() } },
  });
  const keyword = encodeSearchAttributeIndexedValueType('KEYWORD');
  if (keyword === undefined) throw new Error('the SDK has no keyword search attributes');
  const keys = [TENANT_ATTRIBUTE, KIND_ATTRIBUTE, STATE_ATTRIBUTE, CUSTOMER_ATTRIBUTE];
  await env.connection.operatorService.addSearchAttributes({
    namespace: TIME_SKIPPING_NAMESPACE,
    searchAttributes: Object.fromEntries(keys.map(({ name }) => [name, keyword])),
  });
  return env;
}
