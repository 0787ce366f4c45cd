/** Requests, logins and refused proofs as Prometheus counts them. Called for every request: each call is a few look-ups and no more. */
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import type { AnsweredRequest, ApiMetrics } from '../api/frame/metrics.ts';

/** Around what a gateway waits (5 ms), what a person notices (250 ms), and the server's own limit (10 s). */
const DURATION_BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const DPOP_CODES = [
  'dpop_proof_missing',
  'dpop_proof_invalid',
  'dpop_nonce_required',
  'dpop_proof_replayed',
  'dpop_key_mismatch',
] as const;
const IS_DPOP_CODE: ReadonlySet<string> = new Set(DPOP_CODES);

export function createApiMetrics(registry: Registry): ApiMetrics {
  const registers = [registry];
  const requests = new Counter({
    name: 'latchkey_http_requests_total',
    help: 'Requests answered, by operation, status, problem code and kind of caller.',
    labelNames: ['operation', 'status', 'code', 'caller'],
    registers,
  });
  const duration = new Histogram({
    name: 'latchkey_http_request_duration_seconds',
    help: 'From the first byte of a request to the last of its answer, by operation.',
    labelNames: ['operation'],
    buckets: DURATION_BUCKETS,
    registers,
  });
  const inFlight = new Gauge({
    name: 'latchkey_http_requests_in_flight',
    help: 'Requests under way, the feeds of services included; who merely waits for news is not.',
    registers,
  });
  const logins = new Counter({
    name: 'latchkey_login_refusals_total',
    help: 'Logins that were refused, by code; those that were granted are latchkey_sessions_started_total.',
    labelNames: ['code'],
    registers,
  });
  const proofs = new Counter({
    name: 'latchkey_dpop_refusals_total',
    help: 'Requests refused for their DPoP proof, by code.',
    labelNames: ['code'],
    registers,
  });
  for (const code of DPOP_CODES) proofs.inc({ code }, 0);
  return {
    began: () => {
      inFlight.inc();
    },
    ended: () => {
      inFlight.dec();
    },
    answered({ operationId, status, code, caller, seconds }: AnsweredRequest) {
      const operation = operationId ?? 'unknown';
      requests.inc({ operation, status, code: code ?? '', caller: caller ?? 'unknown' });
      duration.observe({ operation }, seconds);
      if (code === undefined) return;
      if (operation === 'login') logins.inc({ code });
      if (IS_DPOP_CODE.has(code)) proofs.inc({ code });
    },
  };
}
