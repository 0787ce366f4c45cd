import { describe, expect, it, vi } from 'vitest';
import { createStepUpWatch } from '../../api/step-ups/watch.ts';
import type { StepUpStatus } from '../../domain/step-up-status.ts';

const NEVER = new AbortController().signal;
const of = (stepUpId: string, clientId = 'one', tenantId = 'ten_1') => ({
  tenantId,
  clientId,
  stepUpId,
});

function bed(options: object = {}) {
  const statuses = new Map<string, StepUpStatus>();
  const questions: (readonly [string, readonly string[]])[] = [];
  const errors: unknown[] = [];
  let isDown = false;
  const watch = createStepUpWatch(
    (tenantId, stepUpIds) => {
      questions.push([tenantId, stepUpIds]);
      if (isDown) return Promise.reject(new Error('down'));
      return Promise.resolve(
        stepUpIds.map((stepUpId) => ({
          stepUpId,
          status: statuses.get(stepUpId) ?? ('pending' as const),
        })),
      );
    },
    (error) => errors.push(error),
    { pollMs: 1, restMs: 1, ...options },
  );
  return {
    watch,
    statuses,
    questions,
    errors,
    setDown: (value: boolean) => {
      isDown = value;
    },
  };
}

describe('who waits for a customer', () => {
  it('hears of an answer and of nothing else, with one question for all of a tenant', async () => {
    const { watch, statuses, questions } = bed();
    const first = watch.untilAnswered(of('a'), NEVER);
    const second = watch.untilAnswered(of('b'), NEVER);
    const elsewhere = watch.untilAnswered(of('c', 'one', 'ten_2'), NEVER);
    await vi.waitFor(() => {
      expect(questions).toContainEqual(['ten_1', ['a', 'b']]);
      expect(questions).toContainEqual(['ten_2', ['c']]);
    });
    statuses.set('a', 'second_factor').set('b', 'denied').set('c', 'approved');
    await Promise.all([second, elsewhere]);
    statuses.set('a', 'expired');
    await first;
    const asked = questions.length;
    await Promise.resolve();
    expect(questions.length - asked).toBeLessThanOrEqual(2);
  });

  it('waits no longer once it has gone, and no longer than its time', async () => {
    const { watch } = bed();
    const gone = new AbortController();
    const waiting = watch.untilAnswered(of('a'), gone.signal);
    gone.abort();
    await expect(waiting).resolves.toBeUndefined();
    await expect(watch.untilAnswered(of('a'), AbortSignal.abort())).resolves.toBeUndefined();
  });

  it('has no place when all are taken, or one requester has taken his', async () => {
    const { watch } = bed({ mostWaiting: 3, mostOfOne: 2 });
    const gone = new AbortController();
    const held = ['a', 'b'].map(async (id) => {
      await watch.untilAnswered(of(id), gone.signal);
    });
    expect(watch.untilAnswered(of('c'), gone.signal)).toBeUndefined();
    const another = watch.untilAnswered(of('d', 'another'), gone.signal);
    expect(another).toBeDefined();
    expect(watch.untilAnswered(of('e', 'third'), gone.signal)).toBeUndefined();
    gone.abort();
    await Promise.all([...held, another]);
    const after = new AbortController();
    const again = watch.untilAnswered(of('c'), after.signal);
    expect(again).toBeDefined();
    after.abort();
    await again;
  });

  it('goes on waiting while the database is away', async () => {
    const { watch, statuses, errors, setDown } = bed();
    setDown(true);
    statuses.set('a', 'approved');
    const waiting = watch.untilAnswered(of('a'), NEVER);
    await vi.waitFor(() => {
      expect(errors.length).toBeGreaterThan(1);
    });
    setDown(false);
    await waiting;
  });
});
