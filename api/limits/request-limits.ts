/**
 * Counting requests against the tenant's policy, by rate-limiter-flexible. A refusal says when to come back; keys in the table are
 * HMACs, so that it does not tell who came. It never counts a gateway's question, a fraud signal or anything that ends access.
 */
import { createHmac } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { RateLimiterAbstract } from 'rate-limiter-flexible';
import { LatchkeyError } from '../../domain/errors.ts';
import { limitNumbers, LIMITS } from '../../domain/limits.ts';
import type { LimitName, LimitNumbers } from '../../domain/limits.ts';
import type { AppDependencies } from '../dependencies.ts';
import { hmacKey } from '../proofs/hmac-key.ts';
import type { RequestTenant } from '../types.ts';
import { createCounters, SharedLimiter } from './shared-counters.ts';
import type { Counters } from './shared-counters.ts';

export interface LimitUse {
  readonly name: LimitName;
  readonly subject: string;
}

export interface LimitState extends LimitNumbers {
  readonly name: LimitName;
  readonly remaining: number;
  readonly resetSeconds: number;
}

export interface RequestLimits {
  /**
   * Counts one request against each. Answers where each stands.
   * @throws LatchkeyError too_many_requests with the longest wait; database_unavailable
   */
  take(tenant: RequestTenant, uses: readonly LimitUse[]): Promise<readonly LimitState[]>;
  /** Counts nothing. @throws LatchkeyError too_many_requests when the count is used up; database_unavailable */
  judge(tenant: RequestTenant, use: LimitUse): Promise<void>;
  /** Counts what has already been granted, and refuses nothing: the next one is judged by it. */
  note(tenant: RequestTenant, use: LimitUse): Promise<void>;
}

export function createRequestLimits({
  database,
  kms,
  clock,
}: Pick<AppDependencies, 'database' | 'kms' | 'clock'>): RequestLimits {
  const counters = new Map<string, Counters>();
  const limiters = new Map<string, RateLimiterAbstract>();
  // Replicas count by their own clocks: a second of difference moves the end of a window by a second.
  const nowMs = () => clock.nowMs();

  const countersOf = (tenantId: string): Counters => {
    const found = counters.get(tenantId) ?? createCounters(database, tenantId, nowMs);
    counters.set(tenantId, found);
    return found;
  };

  const limiterOf = ({ tenantId }: RequestTenant, name: LimitName, numbers: LimitNumbers) => {
    const { points, seconds } = numbers;
    const id = `${tenantId}/${name}/${String(points)}/${String(seconds)}`;
    const found = limiters.get(id);
    if (found !== undefined) return found;
    const made =
      LIMITS[name].counted === 'process'
        ? new RateLimiterMemory({ points, duration: seconds, keyPrefix: '' })
        : new SharedLimiter(numbers, countersOf(tenantId), nowMs);
    limiters.set(id, made);
    return made;
  };

  const keyOf = ({ tenantId }: RequestTenant, { name, subject }: LimitUse) =>
    // A counter in memory is a tenant's and a limit's own, and dies with the process.
    LIMITS[name].counted === 'process'
      ? subject
      : createHmac('sha256', hmacKey(kms.secret('limit').key))
          .update(JSON.stringify([tenantId, name, subject]))
          .digest('base64url');

  return {
    take: async (tenant, uses) => {
      const taken = await Promise.allSettled(
        uses.map(async (use) => {
          const numbers = limitNumbers(tenant.policy.limits, use.name);
          const limiter = limiterOf(tenant, use.name, numbers);
          return stateOf(use.name, numbers, await limiter.consume(keyOf(tenant, use)));
        }),
      );
      refuse(taken, uses);
      return taken.filter((one) => one.status === 'fulfilled').map(({ value }) => value);
    },
    judge: async (tenant, use) => {
      const numbers = limitNumbers(tenant.policy.limits, use.name);
      const found = await limiterOf(tenant, use.name, numbers).get(keyOf(tenant, use));
      if (found !== null && found.consumedPoints >= numbers.points) throw tooMany(use.name, found);
    },
    note: async (tenant, use) => {
      const numbers = limitNumbers(tenant.policy.limits, use.name);
      await limiterOf(tenant, use.name, numbers).penalty(keyOf(tenant, use));
    },
  };
}

/** An error that is no count outweighs those that are; of these the longest wait. */
function refuse(taken: readonly PromiseSettledResult<unknown>[], uses: readonly LimitUse[]): void {
  let longest: { readonly name: LimitName; readonly found: RateLimiterRes } | undefined;
  for (const [index, one] of taken.entries()) {
    if (one.status === 'fulfilled') continue;
    const found: unknown = one.reason;
    if (!(found instanceof RateLimiterRes)) throw found;
    const name = uses[index]?.name;
    if (name === undefined) throw new TypeError('every result has its use');
    if (longest === undefined || found.msBeforeNext > longest.found.msBeforeNext)
      longest = { name, found };
  }
  if (longest !== undefined) throw tooMany(longest.name, longest.found);
}

function tooMany(limit: LimitName, found: RateLimiterRes): LatchkeyError {
  return new LatchkeyError('too_many_requests', {
    retryAfterSeconds: Math.max(1, Math.ceil(found.msBeforeNext / 1000)),
    extra: { limit },
  });
}

function stateOf(name: LimitName, numbers: LimitNumbers, found: RateLimiterRes): LimitState {
  return {
    name,
    ...numbers,
    remaining: found.remainingPoints,
    resetSeconds: Math.ceil(found.msBeforeNext / 1000),
  };
}

/** One household or one data centre's customer has a /64 of IPv6 to itself: every address of it is the same source. */
export function sourceOf(ip: string): string {
  if (!isIPv6(ip)) return ip;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = '', tail = ''] = ip.split('%', 1)[0]?.split('::') ?? [];
  const groups = head === '' ? [] : head.split(':');
  const rest = tail === '' ? [] : tail.split(':');
  const all = ip.includes('::')
    ? [...groups, ...Array<string>(8 - groups.length - rest.length).fill('0'), ...rest]
    : groups;
  return all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
