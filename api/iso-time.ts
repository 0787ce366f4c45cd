/** Times as answers carry them. */

/** RFC 3339 in UTC with milliseconds; null stays null: it has not happened. */
export function isoTime(milliseconds: number): string;
export function isoTime(milliseconds: number | null): string | null;
export function isoTime(milliseconds: number | null): string | null {
  return milliseconds === null ? null : new Date(milliseconds).toISOString();
}
