/** What the frame tells whoever counts requests. Called for every request: it must be quick, keep no ids, and never throw. */

export interface AnsweredRequest {
  /** Of the access matrix; undefined for an address that is none of ours. */
  readonly operationId: string | undefined;
  readonly status: number;
  /** The problem's code; undefined for a success. */
  readonly code: string | undefined;
  /** Its kind. */
  readonly caller: string | undefined;
  readonly seconds: number;
}

export interface ApiMetrics {
  /** A request came. */
  began(): void;
  /** Its connection is free again, answered or not. */
  ended(): void;
  answered(request: AnsweredRequest): void;
}

export const uncounted: ApiMetrics = {
  began: () => undefined,
  ended: () => undefined,
  answered: () => undefined,
};
