/** A Temporal namespace of its own for each test file, so that no worker takes the tasks of another file's leftovers. */
import { randomBytes } from 'node:crypto';
import { Connection } from '@temporalio/client';
import { inject } from 'vitest';
import { prepareNamespace } from '../../temporal/namespace.ts';

export interface TestNamespace {
  readonly address: string;
  readonly namespace: string;
}

/** Call it in `beforeAll`: registers the namespace with the search attributes of the workflows, ready for use. */
export async function createTestNamespace(): Promise<TestNamespace> {
  const { address } = inject('servers').temporal;
  const namespace = `test-${randomBytes(6).toString('hex')}`;
  const connection = await Connection.connect({ address, connectTimeout: 10_000 });
  try {
    await prepareNamespace(connection, { namespace, signal: AbortSignal.timeout(30_000) });
  } finally {
    await connection.close();
  }
  return { address, namespace };
}
