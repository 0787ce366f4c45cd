/** The machine's clock behind the clock port: the one file that may ask it. */
import type { Clock } from '../domain/clock.ts';

export const systemClock: Clock = { nowMs: () => Date.now() };
