/**
 * Named places where a process may be told to die, so that a test can kill it exactly between two steps. In production, and whenever no
 * fail point is configured, reaching one does nothing.
 */

/** `<room or flow>.<where>`, a literal where it stands, such as `relay.after_call`. */
export type FailPointName = `${string}.${string}`;

export type FailPoint = (name: FailPointName) => void;

export const noFailPoint: FailPoint = () => undefined;
