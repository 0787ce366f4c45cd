/**
 * Named places where a process may be told to die, so that a test can kill it exactly between two steps. In production, and whenever no
 * fail point is configured, reaching one does nothing.
 */

/**
 * `<room>.<where>.<what>`: `relay.before_call.<topic>`, `relay.after_call.<topic>`, `relay.after_mark.<topic>`, `activity.before.<name>`,
 * `activity.after.<name>` (its transaction is committed, nobody knows it yet), `api.before_answer.<operationId>` (of a success).
 */
export type FailPointName = `${string}.${string}`;

export type FailPoint = (name: FailPointName) => void;

export const noFailPoint: FailPoint = () => undefined;
