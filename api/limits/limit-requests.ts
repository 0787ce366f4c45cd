/**
 * The hook that counts: after the caller is known and the body fits its schema, so that forgeries cost no question to PostgreSQL and nobody
 * spends another's count. Answers carry RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-10).
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LIMITS } from '../../domain/limits.ts';
import type { LimitName } from '../../domain/limits.ts';
import type { ApiServices } from '../dependencies.ts';
import type { LoginBody } from '../schemas/login.ts';
import type { LatchkeyApp } from '../types.ts';
import { countedBy } from './counted-operations.ts';
import { sourceOf } from './request-limits.ts';
import type { LimitState, LimitUse, RequestLimits } from './request-limits.ts';

const UNNAMED_PROXY =
  'a request was forwarded by a proxy that is not named: everybody behind it counts as one source';

/** For a scope below a tenant, after everything that may refuse. */
export function limitRequests(app: LatchkeyApp, { requestLimits }: ApiServices): void {
  let isWarned = false;
  app.addHook('preHandler', async (request, reply) => {
    const { operationId } = request.routeOptions.config;
    const uses = countedBy(operationId, request.body).map((name) => useOf(name, request));
    if (uses.length === 0) return;
    if (!isWarned && cameThroughUnnamedProxy(request)) {
      isWarned = true;
      request.log.warn({ variable: 'LATCHKEY_TRUSTED_PROXIES' }, UNNAMED_PROXY);
    }
    // Side by side: they share a statement.
    const [states] = await Promise.all([
      requestLimits.take(request.tenant, uses),
      judgeCredential(request, requestLimits),
    ]);
    tell(reply, states);
  });
}

/** A stranger can send that header too: it warns, and decides nothing. */
function cameThroughUnnamedProxy({ headers, ip, socket }: FastifyRequest): boolean {
  return headers['x-forwarded-for'] !== undefined && ip === socket.remoteAddress;
}

/** A passkey that has logged in too often lately is refused before it is verified; the login itself counts it (`note`). */
async function judgeCredential(
  { routeOptions, tenant, body }: FastifyRequest,
  requestLimits: RequestLimits,
): Promise<void> {
  if (routeOptions.config.operationId !== 'login') return;
  const { credential } = body as LoginBody; // The schema of the operation has passed it.
  await requestLimits.judge(tenant, { name: 'loginsOfCredential', subject: credential.id });
}

function useOf(name: LimitName, request: FastifyRequest): LimitUse {
  const { subject } = LIMITS[name];
  if (subject === 'source') return { name, subject: sourceOf(request.ip) };
  const { caller } = request;
  if (subject === 'device' && 'jkt' in caller) return { name, subject: caller.jkt };
  throw new TypeError(`${name} cannot be counted for a ${caller.kind} caller`);
}

/** Lists of strings with integers (RFC 9651), written out: the names are ours and hold nothing that needs escaping. */
function tell(reply: FastifyReply, states: readonly LimitState[]): void {
  const list = (describe: (state: LimitState) => string) =>
    states.map((state) => `"${state.name}";${describe(state)}`).join(', ');
  reply.headers({
    'ratelimit-policy': list(({ points, seconds }) => `q=${String(points)};w=${String(seconds)}`),
    ratelimit: list(
      ({ remaining, resetSeconds }) => `r=${String(remaining)};t=${String(resetSeconds)}`,
    ),
  });
}
