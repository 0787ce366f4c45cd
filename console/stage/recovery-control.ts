/** The recovery desk's part of stage control: how the liveness vendor ends its next check, and simulated time. What comes is checked here. */
import { ask, isMembers } from './control-call.ts';
import type { Members } from './control-call.ts';

export interface LivenessDesk {
  readonly next: string;
  /** Every end that may be asked for. */
  readonly ends: readonly string[];
  readonly waiting: number;
}

export class RecoveryControl {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async liveness(): Promise<LivenessDesk> {
    const { liveness } = await ask(`${this.#url}/status`);
    return deskOf(isMembers(liveness) ? liveness : {});
  }

  async setNext(end: string): Promise<LivenessDesk> {
    return deskOf(await ask(`${this.#url}/liveness/next`, { end }));
  }

  async release(): Promise<LivenessDesk> {
    return deskOf(await ask(`${this.#url}/liveness/release`, {}));
  }

  /** As if the customer had enrolled a year earlier. */
  async passYear(customerId: string): Promise<void> {
    await ask(`${this.#url}/time/year`, { customerId });
  }

  /** As if the time to object were over. */
  async passCoolingOff(recoveryId: string): Promise<void> {
    await ask(`${this.#url}/time/cooling-off`, { recoveryId });
  }

  /** As if the part of it were over that the owner cannot shorten. */
  async passCoolingFloor(recoveryId: string): Promise<void> {
    await ask(`${this.#url}/time/cooling-floor`, { recoveryId });
  }
}

function deskOf({ next, ends, waiting }: Members): LivenessDesk {
  return {
    next: typeof next === 'string' ? next : 'pass',
    ends: Array.isArray(ends) ? ends.filter((end) => typeof end === 'string') : [],
    waiting: Array.isArray(waiting) ? waiting.length : 0,
  };
}
