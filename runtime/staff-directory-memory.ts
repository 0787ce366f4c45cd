/**
 * What the demo directory remembers between two requests: in memory, gone at its end, bounded in number. It must never hold more
 * than logins that are under way; nothing of it is worth keeping.
 */
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider';
import type { Clock } from '../domain/clock.ts';

/** A demo has a handful of logins at a time; the oldest go first. */
const KEPT = 1_000;

interface Kept {
  readonly payload: AdapterPayload;
  readonly expiresAtMs: number;
}

/** One store for all kinds of records of one directory. */
export function directoryMemory(clock: Clock): AdapterFactory {
  const records = new Map<string, Kept>();
  return (kind) => new MemoryOfKind(kind, records, clock);
}

class MemoryOfKind implements Adapter {
  private readonly kind: string;
  private readonly records: Map<string, Kept>;
  private readonly clock: Clock;

  constructor(kind: string, records: Map<string, Kept>, clock: Clock) {
    this.kind = kind;
    this.records = records;
    this.clock = clock;
  }

  upsert(id: string, payload: AdapterPayload, expiresIn?: number): Promise<void> {
    const key = this.key(id);
    this.records.delete(key);
    const expiresAtMs = expiresIn === undefined ? Infinity : this.clock.nowMs() + expiresIn * 1_000;
    this.records.set(key, { payload, expiresAtMs });
    const oldest = this.records.keys().next();
    if (this.records.size > KEPT && oldest.done !== true) this.records.delete(oldest.value);
    return Promise.resolve();
  }

  find(id: string): Promise<AdapterPayload | undefined> {
    const kept = this.records.get(this.key(id));
    return Promise.resolve(
      kept !== undefined && kept.expiresAtMs > this.clock.nowMs() ? kept.payload : undefined,
    );
  }

  findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return Promise.resolve(this.own().find(([, { payload }]) => payload.uid === uid)?.[1].payload);
  }

  /** There is no device flow here. */
  findByUserCode(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  consume(id: string): Promise<void> {
    const kept = this.records.get(this.key(id));
    if (kept !== undefined) kept.payload.consumed = Math.floor(this.clock.nowMs() / 1_000);
    return Promise.resolve();
  }

  destroy(id: string): Promise<void> {
    this.records.delete(this.key(id));
    return Promise.resolve();
  }

  revokeByGrantId(grantId: string): Promise<void> {
    for (const [key, { payload }] of this.own()) {
      if (payload.grantId === grantId) this.records.delete(key);
    }
    return Promise.resolve();
  }

  private key(id: string): string {
    return `${this.kind}/${id}`;
  }

  private own(): (readonly [string, Kept])[] {
    return [...this.records].filter(([key]) => key.startsWith(`${this.kind}/`));
  }
}
