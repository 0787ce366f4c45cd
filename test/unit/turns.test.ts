/** How many requests begin in one turn of the event loop: all at once when there are few, in their order when there are many. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createTurns } from '../../api/frame/turns.ts';

describe('a turn of the event loop', () => {
  test('begins so many at once, the others in later turns, each after those that came before', async () => {
    const turn = createTurns(2);
    const begun: number[] = [];
    const all = Array.from({ length: 5 }, async (_, index) => {
      await turn();
      begun.push(index);
    });
    await Promise.resolve();
    expect(begun).toEqual([0, 1]);
    await nextTurn();
    expect(begun).toEqual([0, 1, 2, 3]);
    await Promise.all(all);
    expect(begun).toEqual([0, 1, 2, 3, 4]);
  });

  test('lets nobody overtake who waits', async () => {
    const turn = createTurns(1);
    const begun: string[] = [];
    const begin = async (name: string) => {
      await turn();
      begun.push(name);
    };
    const early = [begin('first'), begin('second'), begin('third')];
    await nextTurn();
    await Promise.all([...early, begin('last')]);
    expect(begun).toEqual(['first', 'second', 'third', 'last']);
  });

  test('answers at once again when nobody waits any more', async () => {
    const turn = createTurns(1);
    expect(turn()).toBeUndefined();
    expect(turn()).toBeInstanceOf(Promise);
    await nextTurn();
    await nextTurn();
    await nextTurn();
    expect(turn()).toBeUndefined();
  });
});
