import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLeadership } from '../../../db/leadership.ts';
import type { Leadership } from '../../../db/leadership.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';

let testDatabase: TestDatabase;
let one: Leadership;
let other: Leadership;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  one = createLeadership(testDatabase.applicationUrl);
  other = createLeadership(testDatabase.applicationUrl);
});

afterAll(async () => {
  await Promise.all([one.close(), other.close()]);
  await testDatabase.drop();
});

const nothing = () => Promise.resolve();

describe('leadership', () => {
  test('belongs to one process at a time, each task by itself, and is free again afterwards', async () => {
    const seen: boolean[] = [];
    const led = await one.lead('sweeper', async () => {
      seen.push(await other.lead('sweeper', nothing), await one.lead('sweeper', nothing));
      seen.push(await other.lead('reconciler', nothing), await one.lead('reconciler', nothing));
    });
    expect(led).toBe(true);
    expect(seen).toEqual([false, false, true, true]);
    expect(await other.lead('sweeper', nothing)).toBe(true);
  });

  test('is given back when the work fails', async () => {
    const failing = one.lead('sweeper', () => Promise.reject(new Error('the work failed')));
    await expect(failing).rejects.toThrow('the work failed');
    expect(await other.lead('sweeper', nothing)).toBe(true);
    expect(await one.lead('sweeper', nothing)).toBe(true);
  });
});
