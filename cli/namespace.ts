/** `latchkey namespace prepare`: gives Temporal the namespace of TEMPORAL_NAMESPACE as Latchkey needs it, or brings it up to date. */
import { Connection } from '@temporalio/client';
import { loadPart } from '../configuration/configuration.ts';
import { readTemporal } from '../configuration/temporal.ts';
import { prepareNamespace } from '../temporal/namespace.ts';
import { say, UsageError } from './terminal.ts';

const TIMEOUT_MS = 60_000;

export async function namespace(args: readonly string[]): Promise<number> {
  if (args.length !== 1 || args[0] !== 'prepare') {
    throw new UsageError('namespace knows one thing: namespace prepare');
  }
  const { address, tls, apiKey, namespace: name } = loadPart(process.env, readTemporal);
  const connection = await Connection.connect({
    address,
    tls,
    connectTimeout: 10_000,
    ...(apiKey === undefined ? {} : { apiKey }),
  });
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const done = await prepareNamespace(connection, { namespace: name, signal });
    say(`Namespace ${name} was ${done}.`);
    return 0;
  } finally {
    await connection.close();
  }
}
