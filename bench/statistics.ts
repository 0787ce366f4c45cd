/** What the figures are made of: percentiles, medians and ratios over what was measured. Pure; it never rounds what is kept. */

/** The smallest value that at least `share` of all are not above (nearest rank). @throws RangeError of nothing */
export function percentile(values: readonly number[], share: number): number {
  if (!(share > 0 && share <= 1)) throw new RangeError('a share is above 0 and at most 1');
  const sorted = Float64Array.from(values).toSorted();
  const found = sorted[Math.ceil(share * sorted.length) - 1];
  if (found === undefined) throw new RangeError('nothing has no percentile');
  return found;
}

/** The middle one, or the mean of the two in the middle. @throws RangeError of nothing */
export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).toSorted();
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) throw new RangeError('nothing has no median');
  return (lower + upper) / 2;
}

/**
 * The median of the ratios of each round: what slowed the machine down for a while slowed both halves of that round, and moves no other.
 * @throws RangeError when the rounds do not pair or a baseline is not above 0
 */
export function medianRatio(figures: readonly number[], baselines: readonly number[]): number {
  if (figures.length !== baselines.length) throw new RangeError('each round has both halves');
  const ratios = figures.map((figure, round) => {
    const baseline = baselines[round] ?? 0;
    if (!(baseline > 0)) throw new RangeError('a ratio is to something above 0');
    return figure / baseline;
  });
  return median(ratios);
}

export interface Target {
  readonly bound: 'at least' | 'at most';
  readonly value: number;
}

export function isMet(value: number, { bound, value: limit }: Target): boolean {
  return bound === 'at least' ? value >= limit : value <= limit;
}
