/**
 * Every token that was ever answered, and whose it is. Two holds it keeps by itself, whatever else happens: a generation has one token, and it
 * is given to one request id alone.
 */
export interface KnownRefreshToken {
  readonly sessionId: string;
  readonly generation: number;
  readonly text: string;
}

export interface KnownAccessToken {
  readonly sessionId: string;
  readonly text: string;
  readonly expiresAtMs: number;
}

interface Shelf {
  readonly holder: string;
  readonly generations: Map<number, string>;
  /** Of each generation, the requests that were answered with its successor. */
  readonly askedBy: Map<number, Set<string | null>>;
  readonly access: KnownAccessToken[];
  /** The newest generation that came to whoever it was sent to. */
  arrived: number;
}

export class TokenBook {
  readonly #shelves = new Map<string, Shelf>();

  begin(holder: string, first: Omit<KnownRefreshToken, 'generation'>): void {
    if (this.#shelves.has(first.sessionId))
      throw new Error(`two logins began session ${first.sessionId}`);
    this.#shelves.set(first.sessionId, {
      holder,
      generations: new Map([[0, first.text]]),
      askedBy: new Map(),
      access: [],
      arrived: 0,
    });
  }

  /** Which token a refresh was answered with. @throws when it is a second successor, or the same for a second request */
  succeed(shown: KnownRefreshToken, answer: string, requestId: string | null): number {
    const { generations, askedBy } = this.#shelf(shown.sessionId);
    const generation = shown.generation + 1;
    const known = generations.get(generation);
    if (known !== undefined && known !== answer)
      throw new Error(
        `generation ${String(shown.generation)} of ${shown.sessionId} has two successors`,
      );
    generations.set(generation, answer);
    const asked = (askedBy.get(generation) ?? new Set()).add(requestId);
    askedBy.set(generation, asked);
    if (asked.size > 1)
      throw new Error(
        `generation ${String(generation)} of ${shown.sessionId} went to ${[...asked].join(' and ')}`,
      );
    return generation;
  }

  arrive({ sessionId }: KnownRefreshToken, generation: number): void {
    const shelf = this.#shelf(sessionId);
    shelf.arrived = Math.max(shelf.arrived, generation);
  }

  grantAccess(token: KnownAccessToken): void {
    this.#shelf(token.sessionId).access.push(token);
  }

  /** Of a holder's sessions, the youngest first. */
  sessionsOf(holder: string): readonly string[] {
    return [...this.#shelves]
      .filter(([, shelf]) => shelf.holder === holder)
      .map(([sessionId]) => sessionId)
      .toReversed();
  }

  /** So many generations before the newest that arrived. */
  refreshToken(sessionId: string, back: number): KnownRefreshToken | undefined {
    const { arrived, generations } = this.#shelf(sessionId);
    const text = generations.get(arrived - back);
    return text === undefined ? undefined : { sessionId, generation: arrived - back, text };
  }

  accessToken(sessionId: string, back: number): KnownAccessToken | undefined {
    return this.#shelf(sessionId).access.at(-1 - back);
  }

  #shelf(sessionId: string): Shelf {
    const shelf = this.#shelves.get(sessionId);
    if (shelf === undefined) throw new Error(`nobody began session ${sessionId}`);
    return shelf;
  }
}
