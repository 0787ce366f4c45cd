/** What a tenant's policy says of the freeze: how long one lasts, how long unproved ones may last in all, how long a link in a notice is good. */

export interface FreezePolicy {
  readonly seconds: number;
  /** All freezes together that nobody proved by passkey, within the window. */
  readonly longestUnprovedSeconds: number;
  readonly unprovedWindowSeconds: number;
  /** Of a link in a notice. */
  readonly linkSeconds: number;
  /** Codes to one number, known or not: so many at once, then one an interval. */
  readonly requestsPerNumber: number;
  readonly requestIntervalSeconds: number;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const DEFAULT_FREEZE_POLICY: FreezePolicy = {
  seconds: DAY,
  longestUnprovedSeconds: 3 * DAY,
  unprovedWindowSeconds: 30 * DAY,
  linkSeconds: 7 * DAY,
  requestsPerNumber: 3,
  requestIntervalSeconds: 30 * MINUTE,
};

export const FREEZE_BOUNDS: {
  readonly [Name in keyof FreezePolicy]: readonly [minimum: number, maximum: number];
} = {
  seconds: [HOUR, 7 * DAY],
  longestUnprovedSeconds: [HOUR, 14 * DAY],
  unprovedWindowSeconds: [DAY, 90 * DAY],
  linkSeconds: [HOUR, 30 * DAY],
  requestsPerNumber: [2, 20],
  requestIntervalSeconds: [MINUTE, DAY],
};
