/**
 * The namespace that Latchkey works in: made when it is missing, and brought to seven days of retention and the search attributes of the
 * workflows. Harmless to repeat; it never removes anything.
 */
import { isGrpcServiceError } from '@temporalio/client';
import type { Connection } from '@temporalio/client';
import type { SearchAttributeType } from '@temporalio/common';
import { encodeSearchAttributeIndexedValueType } from '@temporalio/common/lib/search-attributes.js';
import { msToTs } from '@temporalio/common/lib/time.js';
import { setTimeout as pause } from 'node:timers/promises';
import { SEARCH_ATTRIBUTES } from './search-attributes.ts';

/** REJECT_DUPLICATE holds only as long as closed workflows are remembered. */
export const RETENTION_MS = 7 * 24 * 60 * 60 * 1000;
const ALREADY_EXISTS = 6;
/** A namespace just made is not known to every part of the server at once. */
const RETRY_EVERY_MS = 100;

export interface NamespaceOptions {
  readonly namespace: string;
  /** When to give up waiting for the server. */
  readonly signal: AbortSignal;
}

/** Answers what was done. @throws the server's last refusal when the signal fires. */
export async function prepareNamespace(
  connection: Connection,
  { namespace, signal }: NamespaceOptions,
): Promise<'made' | 'brought up to date'> {
  const { workflowService, operatorService } = connection;
  const isMade = await untilItWorks(signal, () => register(connection, namespace));
  if (!isMade) {
    await untilItWorks(signal, () =>
      workflowService.updateNamespace({
        namespace,
        config: { workflowExecutionRetentionTtl: msToTs(RETENTION_MS) },
      }),
    );
  }
  await untilItWorks(signal, async () => {
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
    const missing = SEARCH_ATTRIBUTES.filter(({ name }) => !(name in customAttributes));
    if (missing.length === 0) return;
    await operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(
        missing.map(({ name, type }) => [name, indexedType(type)]),
      ),
    });
    throw new Error('the search attributes are not known yet');
  });
  return isMade ? 'made' : 'brought up to date';
}

function indexedType(type: SearchAttributeType) {
  const indexed = encodeSearchAttributeIndexedValueType(type);
  if (indexed === undefined) throw new TypeError(`the SDK knows no search attributes of ${type}`);
  return indexed;
}

/** False when it is there already. */
async function register(connection: Connection, namespace: string): Promise<boolean> {
  try {
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: msToTs(RETENTION_MS),
    });
    return true;
  } catch (error) {
    if (isGrpcServiceError(error) && error.code === ALREADY_EXISTS) return false;
    throw error;
  }
}

async function untilItWorks<Answer>(
  signal: AbortSignal,
  attempt: () => Promise<Answer>,
): Promise<Answer> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted) throw error;
      await pause(RETRY_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
