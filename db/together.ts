/**
 * Statements of one transaction that go out together: its connection carries them in the order in which they were begun, and one wait serves
 * all. PostgreSQL runs them one after the other, so that each sees what the earlier ones locked and wrote.
 */

/**
 * Waits for all, also when one fails: what is still to be sent by one of them must never follow the rollback of another.
 * @throws what the first of them threw, by their order
 */
export async function together<const Work extends readonly Promise<unknown>[]>(
  work: Work,
): Promise<{ -readonly [Index in keyof Work]: Awaited<Work[Index]> }> {
  const settled = await Promise.allSettled(work);
  // One result for each, in their order: the mapped type says so, Array.map cannot.
  return settled.map(resultOf) as { -readonly [Index in keyof Work]: Awaited<Work[Index]> };
}

/** For whoever judges one after the other. @throws what was thrown there */
export function resultOf<Result>(settled: PromiseSettledResult<Result>): Result {
  if (settled.status === 'rejected') throw settled.reason;
  return settled.value;
}
