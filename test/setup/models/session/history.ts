/** What was asked and answered, in the order in which one observer saw it begin and end. */
import type { Call } from './calls.ts';
import type { Received } from './wire.ts';

/** What the call was and what it was answered; when, this file writes down. */
type Facts<Kind extends Call['kind']> = Omit<
  Extract<Call, { kind: Kind }>,
  'kind' | 'invokedAt' | 'answeredAt' | 'nowMs' | 'answer'
>;

export class History {
  readonly calls: Call[] = [];
  /** The one that the API judges by. */
  readonly #clock: { nowMs(): number };
  #events = 0;

  constructor(clock: { nowMs(): number }) {
    this.#clock = clock;
  }

  /** What the rows say, while nothing else is under way. */
  look(answer: Extract<Call, { kind: 'look' }>['answer']): void {
    const at = { invokedAt: this.#tick(), answeredAt: this.#tick() };
    this.calls.push({ kind: 'look', ...at, nowMs: this.#clock.nowMs(), answer });
  }

  /** Nothing of what was never answered can happen any more. */
  settle(): void {
    const answeredAt = this.#tick();
    for (const [index, call] of this.calls.entries())
      if (call.answeredAt === Infinity) this.calls[index] = { ...call, answeredAt };
  }

  #tick(): number {
    this.#events += 1;
    return this.#events;
  }

  /** Sends it; `read` says what a 2xx means, all else is a refusal by its code, and what throws was lost. */
  async write<Kind extends Call['kind']>(
    kind: Kind,
    facts: Facts<Kind>,
    send: () => Promise<Received>,
    read: (answer: Received) => Record<string, unknown>,
  ): Promise<void> {
    const asked = { kind, invokedAt: this.#tick(), nowMs: this.#clock.nowMs(), ...facts };
    const received = await send().catch(() => undefined);
    const answeredAt = received === undefined ? Infinity : this.#tick();
    const isLost = received === undefined;
    const read2xx = isLost ? undefined : received.status < 300 ? read(received) : refusal(received);
    // The members of one kind, put together from its facts and what was answered.
    this.calls.push({ ...asked, answeredAt, ...named(read2xx) } as unknown as Call);
  }
}

function refusal({ status, body }: Received): Record<string, unknown> {
  return { answer: { refused: String(body?.code ?? body?.error ?? status) } };
}

function named(answered: Record<string, unknown> | undefined): Record<string, unknown> {
  return answered ?? { answer: undefined };
}
