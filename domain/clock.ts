/** Time as a port: nothing outside adapters/clock.ts asks the machine. */

export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  nowMs(): number;
}
