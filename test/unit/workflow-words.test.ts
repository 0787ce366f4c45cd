/** The words that workflows put into Temporal's UI, and the attributes that they move there. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { RUNBOOK } from '../../console/operations/runbook-texts.ts';
import { ENROLLMENT_STATES } from '../../domain/enrollment.ts';
import type { EnrollmentSnapshot } from '../../domain/enrollment.ts';
import { RECOVERY_STATES, type RecoverySnapshot } from '../../domain/recovery.ts';
import type { RevocationState } from '../../domain/revocation.ts';
import * as known from '../../temporal/search-attributes.ts';
import { WORKFLOW_TEXTS } from '../../temporal/workflow-texts.ts';
import { describeEnrollment, describeTimer } from '../../workflows/enrollment-details.ts';
import { describeRecovery, describeRecoveryTimer } from '../../workflows/recovery-details.ts';
import { describeRevocation } from '../../workflows/revocation-details.ts';
import * as moved from '../../workflows/search-attributes.ts';

const NOON_MS = Date.UTC(2026, 10, 22, 12);
const HOUR_MS = 3_600_000;
const row: EnrollmentSnapshot = {
  state: 'phone',
  outcome: null,
  reason: null,
  seq: 1,
  nowMs: NOON_MS,
  maxUpdates: 60,
  deadlineMs: NOON_MS + 72 * HOUR_MS,
  stepDeadlineMs: NOON_MS + HOUR_MS / 2,
  reminderAtMs: NOON_MS + 24 * HOUR_MS,
  stepMs: HOUR_MS / 2,
  identityCheckMs: 24 * HOUR_MS,
};

describe('the words of an enrollment', () => {
  test('name who acts, the deadline and what happens then', () => {
    expect(describeEnrollment(row)).toBe(
      [
        '### The customer types the code sent by SMS.',
        '**Who acts:** the customer, in the app',
        '**Until:** 2026-11-22 12:30:00 UTC, then it expires',
        '**Still to come:** phone, identity, e-mail, passkey',
        '[Runbook](/runbook#enrollment)',
      ].join('\n\n'),
    );
  });

  test('tell a reminder from an expiry', () => {
    const waiting = { ...row, state: 'identity', stepDeadlineMs: null } as const;
    expect(describeTimer(waiting)).toBe(
      'name and document, until 2026-11-23 12:00:00 UTC, then a reminder is sent',
    );
    expect(describeTimer({ ...waiting, reminderAtMs: null })).toBe(
      'name and document, until 2026-11-25 12:00:00 UTC, then it expires',
    );
  });

  test.each(ENROLLMENT_STATES)('exist for the state %s', (state) => {
    const details = describeEnrollment({ ...row, state });
    expect(details).toMatch(/^### .+\.\n\n\*\*Who acts:\*\* .+/);
    expect(details).not.toMatch(/undefined|null|NaN/);
    expect(describeTimer({ ...row, state })).not.toMatch(/undefined|null|NaN/);
  });

  test('say how it ended', () => {
    const ended = { ...row, state: 'ended', outcome: 'denied', reason: 'person_exists' } as const;
    expect(describeEnrollment(ended)).toContain('It has ended: denied (person exists).');
  });
});

describe('the words of a recovery', () => {
  const open: RecoverySnapshot = {
    state: 'review',
    outcome: null,
    reason: null,
    missing: [],
    people: 2,
    seq: 3,
    nowMs: NOON_MS,
    maxUpdates: 100,
    deadlineMs: NOON_MS + 21 * 24 * HOUR_MS,
    stepDeadlineMs: NOON_MS + 7 * 24 * HOUR_MS,
    reviewDueMs: NOON_MS + 4 * HOUR_MS,
    coolingFromMs: NOON_MS,
    heldAtMs: null,
    times: {
      contactMs: 24 * HOUR_MS,
      identityMs: 72 * HOUR_MS,
      reviewMs: 7 * 24 * HOUR_MS,
      reviewSlaMs: 4 * HOUR_MS,
      coolingMs: 24 * HOUR_MS,
      coolingFloorMs: HOUR_MS,
      rebindMs: 72 * HOUR_MS,
    },
  };

  test('tell what is late from what is over', () => {
    expect(describeRecovery(open)).toContain(
      '**Until:** 2026-11-22 16:00:00 UTC, then it goes to the supervisors',
    );
    expect(describeRecoveryTimer({ ...open, reviewDueMs: null })).toBe(
      'staff to look at it, until 2026-11-29 12:00:00 UTC, then it expires',
    );
    expect(describeRecoveryTimer({ ...open, state: 'cooling', stepDeadlineMs: null })).toBe(
      'the time to object to be over, until 2026-11-23 12:00:00 UTC, then the new phone may be bound',
    );
  });

  test('name no time while it is held', () => {
    expect(describeRecovery({ ...open, state: 'held', heldAtMs: NOON_MS })).not.toContain('Until');
  });

  test.each(RECOVERY_STATES.filter((state) => state !== 'held'))(
    'exist for the state %s',
    (state) => {
      const details = describeRecovery({ ...open, state });
      expect(details).toMatch(/^### .+\.\n\n\*\*Who acts:\*\* .+/);
      expect(details).not.toMatch(/undefined|null|NaN/);
      expect(describeRecoveryTimer({ ...open, state })).not.toMatch(/undefined|null|NaN/);
    },
  );
});

describe('the words of a revocation', () => {
  const states: readonly RevocationState[] = [
    'ending_rows',
    'waking',
    'second_listing',
    'sealed',
    'closed',
  ];

  test.each(states)('never read as if the cut-off still had to happen: %s', (state) => {
    expect(describeRevocation(state, false)).toContain('**Done:** cut-off');
  });

  test('call for an administrator once the alarm is raised', () => {
    expect(describeRevocation('sealed', true)).toContain('**Who acts:** an administrator');
  });
});

describe('search attributes', () => {
  test('that workflows move are known to the server by the same name and type', () => {
    for (const [name, { name: attribute, type }] of Object.entries(moved)) {
      expect(known).toHaveProperty(name, expect.objectContaining({ name: attribute, type }));
      expect(known.SEARCH_ATTRIBUTES.map((key) => key.name)).toContain(attribute);
    }
  });
});

describe('the runbook', () => {
  test('has a chapter wherever a link of a workflow leads', () => {
    const chapters: ReadonlySet<string> = new Set(RUNBOOK.chapters.map(({ id }) => id));
    const links = ['workflows', 'temporal'].flatMap((room) =>
      readdirSync(room).flatMap((file) =>
        [
          ...readFileSync(`${room}/${file}`, 'utf8').matchAll(
            /runbook: '(\w+)'|\/runbook#(\w+)\)/g,
          ),
        ].map(([, one, other]) => one ?? other ?? ''),
      ),
    );
    expect(links.length).toBeGreaterThan(5);
    expect(links.filter((id) => !chapters.has(id))).toEqual([]);
  });
});

describe('the texts at the start of a workflow', () => {
  test('are one line and lead to the runbook', () => {
    for (const [kind, { summary, details = `[Runbook](/runbook#${kind})` }] of Object.entries(
      WORKFLOW_TEXTS,
    )) {
      expect(summary).toMatch(/^[^\n]{5,40}$/);
      expect(details).toContain(`[Runbook](/runbook#${kind})`);
    }
  });
});
