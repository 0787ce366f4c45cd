/** What the driver, the socket and PostgreSQL say when it is nobody's fault: as errors that may be retried. It must never hide a defect of ours. */
import { LatchkeyError } from '../domain/errors.ts';

/** Of the driver, of the socket, and of PostgreSQL (class 08 besides). */
const UNAVAILABLE = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECTION_ENDED',
  'CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '53300', // too_many_connections
  '57014', // query_canceled: statement_timeout
  '25P03', // idle_in_transaction_session_timeout
  '55P03', // lock_not_available
  '25006', // read_only_sql_transaction: a failover
]);
// serialization_failure, deadlock_detected
const CONFLICT = new Set(['40001', '40P01']);

/** Anything else is let through as it is. */
export function translated(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof LatchkeyError) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (UNAVAILABLE.has(code) || code.startsWith('08')) {
    return new LatchkeyError('database_unavailable', { cause: error, retryAfterSeconds: 1 });
  }
  if (CONFLICT.has(code)) return new LatchkeyError('conflict', { cause: error });
  return error;
}
