import { describe, expect, it } from 'vitest';
import { timelineFrames } from '../../api/streams/timeline-stream.ts';
import type { TimelineEntry } from '../../db/timeline.ts';

const entry = (position: number): TimelineEntry => ({
  position,
  atMs: 0,
  action: 'session.created',
  actorKind: 'customer',
  actorId: 'cus_1',
  subjectKind: 'session',
  subjectId: 'ses_1',
  customerId: 'cus_1',
  ceremonyId: null,
  detail: {},
});

/** Reads frames until the token has expired; each read of the source moves the clock on by a second. */
async function positionsOf(pages: readonly (readonly number[])[], after = 0): Promise<number[]> {
  let nowMs = 0;
  let page = 0;
  const source = {
    read: async (from: number) => {
      nowMs += 1000;
      const rows = pages[Math.min(page, pages.length - 1)] ?? [];
      page += 1;
      return await Promise.resolve(rows.filter((position) => position > from).map(entry));
    },
  };
  const positions: number[] = [];
  const clock = { nowMs: () => nowMs };
  for await (const text of timelineFrames(source, {
    after,
    expiresAtMs: pages.length * 1000,
    clock,
  })) {
    const id = /^id: (\d+)$/m.exec(text)?.[1];
    if (id !== undefined) positions.push(Number(id));
  }
  return positions;
}

describe('the timeline', () => {
  it('sends each row once, and the one that was committed late as well', async () => {
    expect(
      await positionsOf([
        [1, 3],
        [1, 2, 3],
        [1, 2, 3, 4],
      ]),
    ).toEqual([1, 3, 2, 4]);
  });

  it('tells a reader that comes back of what was committed late below its last entry', async () => {
    expect(await positionsOf([[600, 601, 602]], 601)).toEqual([600, 601, 602]);
  });

  it('begins not long before what the reader has', async () => {
    expect(await positionsOf([[1, 100, 601]], 601)).toEqual([601]);
  });

  it('ends when the token that opened it has expired', async () => {
    expect(await positionsOf([[1]])).toEqual([1]);
  });
});
