/** `latchkey namespace prepare`: gives Temporal the namespace of TEMPORAL_NAMESPACE as Latchkey needs it, or brings it up to date. */
import { loadPart } from '../configuration/configuration.ts';
import { readTemporal } from '../configuration/temporal.ts';
import { withTemporal } from '../temporal/connection.ts';
import { prepareNamespace } from '../temporal/namespace.ts';
import { say, UsageError } from './terminal.ts';

const TIMEOUT_MS = 60_000;

export async function namespace(args: readonly string[]): Promise<number> {
  if (args.length !== 1 || args[0] !== 'prepare') {
    throw new UsageError('namespace knows one thing: namespace prepare');
  }
  const temporal = loadPart(process.env, readTemporal);
  const prepared = { namespace: temporal.namespace, signal: AbortSignal.timeout(TIMEOUT_MS) };
  const done = await withTemporal(temporal, (connection) => prepareNamespace(connection, prepared));
  say(`Namespace ${temporal.namespace} was ${done}.`);
  return 0;
}
