/**
 * Whether a history of calls that overlapped can be put into one order that a sequential specification accepts and that never places a call
 * before one that was answered before it began (Herlihy and Wing; the search of Wing and Gong with Lowe's memory). Knows nothing of sessions.
 */

/** `invokedAt` and `answeredAt` count events of one observer; a call without an answer is one that may or may not have happened. */
export interface Timed {
  readonly invokedAt: number;
  /** Infinity when it was never heard of again. */
  readonly answeredAt: number;
}

export interface Specification<State, Call extends Timed> {
  readonly first: State;
  /** In how many moments, one after the other, it does its work. */
  partsOf(call: Call): number;
  /** It may have been lost before it did anything. */
  isOptional(call: Call): boolean;
  /** The state after that part, if the call could do it there with the answer that it gave. */
  next(state: State, call: Call, part: number): State | undefined;
  /** Equal for equal states. */
  keyOf(state: State): string;
}

export interface Verdict<State, Call> {
  readonly isLinearizable: boolean;
  /** The longest order that was accepted, the state that it led to, and the calls of which one had to be next. */
  readonly order: readonly Call[];
  readonly state: State;
  readonly stuck: readonly Call[];
}

interface Place<State> {
  readonly done: readonly number[];
  readonly state: State;
  readonly order: readonly number[];
}

export function linearize<State, Call extends Timed>(
  calls: readonly Call[],
  specification: Specification<State, Call>,
): Verdict<State, Call> {
  const parts = calls.map((call) => specification.partsOf(call));
  const isOpen = ({ done }: Place<State>, index: number) =>
    (done[index] ?? 0) < (parts[index] ?? 0);
  const isOwed = (place: Place<State>, index: number) => {
    const call = calls[index];
    return call !== undefined && isOpen(place, index) && !specification.isOptional(call);
  };
  /** Those that nothing open was answered before. */
  const candidates = (place: Place<State>): number[] => {
    const open = calls.flatMap((_call, index) => (isOpen(place, index) ? [index] : []));
    const deadline = Math.min(...open.map((index) => calls[index]?.answeredAt ?? Infinity));
    return open.filter((index) => (calls[index]?.invokedAt ?? Infinity) < deadline);
  };
  const seen = new Set<string>();
  const first = { done: calls.map(() => 0), state: specification.first, order: [] };
  const stack: Place<State>[] = [first];
  let furthest: Place<State> = first;
  for (let place = stack.pop(); place !== undefined; place = stack.pop()) {
    if (place.order.length > furthest.order.length) furthest = place;
    if (!calls.some((_call, index) => isOwed(place, index))) return verdict(true, place);
    for (const index of candidates(place)) {
      for (const reached of after(place, index)) {
        const key = `${reached.done.join()} ${specification.keyOf(reached.state)}`;
        if (seen.has(key)) continue;
        seen.add(key);
        stack.push(reached);
      }
    }
  }
  return verdict(false, furthest);

  function* after(place: Place<State>, index: number): Generator<Place<State>> {
    const call = calls[index];
    if (call === undefined) return;
    const part = place.done[index] ?? 0;
    const order = [...place.order, index];
    const next = specification.next(place.state, call, part);
    if (next !== undefined) yield { done: place.done.with(index, part + 1), state: next, order };
    // Lost for good: it is done with, and did nothing.
    if (specification.isOptional(call))
      yield { done: place.done.with(index, parts[index] ?? 0), state: place.state, order };
  }

  function verdict(isLinearizable: boolean, place: Place<State>): Verdict<State, Call> {
    const named = (indices: readonly number[]) => indices.flatMap((index) => calls[index] ?? []);
    return {
      isLinearizable,
      order: named(place.order),
      state: place.state,
      stuck: named(candidates(place)),
    };
  }
}
