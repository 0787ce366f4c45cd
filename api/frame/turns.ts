/**
 * How many requests one turn of the event loop begins: what has begun is finished before more is begun, so that an answer of PostgreSQL never waits
 * for the proofs of everybody who came meanwhile. It refuses nobody and changes nobody's order.
 */

/** Each costs about a third of a millisecond, its proof above all: a turn then stays near a few of them. */
const BEGUN_PER_TURN = 8;

/** Answers undefined when the request may begin at once, else when its turn has come. */
export function createTurns(perTurn = BEGUN_PER_TURN): () => Promise<void> | undefined {
  let waiting: (() => void)[] = [];
  let begun = 0;

  const next = (): void => {
    const now = waiting.slice(0, perTurn);
    waiting = waiting.slice(perTurn);
    begun = now.length;
    for (const begin of now) begin();
    if (begun > 0) setImmediate(next);
  };

  return () => {
    if (begun < perTurn) {
      if (begun === 0) setImmediate(next);
      begun += 1;
      return undefined;
    }
    return new Promise((resolve) => {
      waiting.push(resolve);
    });
  };
}
