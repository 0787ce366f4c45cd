/** What was broken and mended at the stage since it started over, in order, with the moment of each. */
import type { Clock } from '../domain/clock.ts';
import type { Happening, PartEvent } from './parts.ts';

const KEPT_EVENTS = 100;

export class PartHistory {
  readonly #clock: Clock;
  #events: readonly PartEvent[] = [];
  #lastId = 0;
  #isForgetting = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  events(): readonly PartEvent[] {
    return this.#events;
  }

  remember(happening: Happening): void {
    if (this.#isForgetting) return;
    this.#lastId += 1;
    const at = new Date(this.#clock.nowMs()).toISOString();
    this.#events = [...this.#events, { id: this.#lastId, at, ...happening }].slice(-KEPT_EVENTS);
  }

  /** Forgets at once, and does not remember what `work` brings about. */
  async forgetAnd(work: () => Promise<void>): Promise<void> {
    this.#events = [];
    this.#isForgetting = true;
    try {
      await work();
    } finally {
      this.#isForgetting = false;
    }
  }
}
