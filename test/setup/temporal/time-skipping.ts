/** A time-skipping Temporal server for one test file, with the search attributes that every workflow is started with. */
import { encodeSearchAttributeIndexedValueType } from '@temporalio/common/lib/search-attributes.js';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { findTimeSkippingServer } from '../../../runtime/time-skipping-server.ts';
import { SEARCH_ATTRIBUTES } from '../../../temporal/search-attributes.ts';
import { quietTemporal } from './quiet-temporal.ts';

/** The only namespace that this server has. */
export const TIME_SKIPPING_NAMESPACE = 'default';

export async function createTimeSkippingEnvironment(): Promise<TestWorkflowEnvironment> {
  quietTemporal();
  const env = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: await findTimeSkippingServer() } },
  });
  const searchAttributes = Object.fromEntries(
    SEARCH_ATTRIBUTES.map(({ name, type }) => {
      const indexed = encodeSearchAttributeIndexedValueType(type);
      if (indexed === undefined) throw new Error(`the SDK knows no search attributes of ${type}`);
      return [name, indexed];
    }),
  );
  await env.connection.operatorService.addSearchAttributes({
    namespace: TIME_SKIPPING_NAMESPACE,
    searchAttributes,
  });
  return env;
}
