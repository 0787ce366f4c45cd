/** Who gives way to a new login: by example at each edge, and by property over customers of every kind. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeRoom } from '../../domain/session-caps.ts';
import type { CountedSession, SessionCaps } from '../../domain/session-caps.ts';

const session = (name: string, change: Partial<CountedSession> = {}): CountedSession => ({
  sessionId: name,
  jkt: `key of ${name}`,
  hasDevice: true,
  isAlive: true,
  ...change,
});
const caps = (change: Partial<SessionCaps> = {}): SessionCaps => ({
  maxOfCustomer: 3,
  maxWithoutDevice: 2,
  refuseWhenFull: 0,
  ...change,
});
const newcomer = { jkt: 'new key', hasDevice: true };
const stranger = { jkt: 'new key', hasDevice: false };
const nobodyLeaves = { superseded: [], overCap: [] };

describe('a login within the caps', () => {
  it('ends nothing, up to the last free place', () => {
    expect(makeRoom([], newcomer, caps({ maxOfCustomer: 1 }))).toEqual(nobodyLeaves);
    expect(makeRoom([session('a'), session('b')], newcomer, caps())).toEqual(nobodyLeaves);
  });

  it('does not count what is dead already', () => {
    const sessions = ['a', 'b', 'c', 'd'].map((name) => session(name, { isAlive: false }));
    expect(makeRoom(sessions, newcomer, caps({ refuseWhenFull: 1 }))).toEqual(nobodyLeaves);
  });
});

describe('a login past the cap of a customer', () => {
  const full = [session('oldest'), session('middle'), session('youngest')];

  it('ends the oldest', () => {
    expect(makeRoom(full, newcomer, caps())).toEqual({ superseded: [], overCap: ['oldest'] });
  });

  it('is refused where the policy says so, and ends nothing', () => {
    expect(makeRoom(full, newcomer, caps({ refuseWhenFull: 1 }))).toEqual({
      refused: 'session_limit_reached',
    });
  });

  it('ends as many as a cap that was lowered meanwhile asks for', () => {
    expect(makeRoom(full, newcomer, caps({ maxOfCustomer: 1 }))).toMatchObject({
      overCap: ['oldest', 'middle', 'youngest'],
    });
  });
});

describe('a login past the cap of keys without a device', () => {
  const sessions = [
    session('device'),
    session('first stranger', { hasDevice: false }),
    session('second stranger', { hasDevice: false }),
  ];

  it('ends the oldest of those, and no device’s', () => {
    const room = makeRoom(sessions, stranger, caps({ maxOfCustomer: 9 }));
    expect(room).toEqual({ superseded: [], overCap: ['first stranger'] });
  });

  it('does not concern a device', () => {
    const room = makeRoom(sessions, newcomer, caps({ maxOfCustomer: 9 }));
    expect(room).toEqual(nobodyLeaves);
  });
});

describe('logging in again by the same key', () => {
  it('is one for one: it is never refused and ends no other, even past a cap that was lowered', () => {
    const sessions = [session('a'), session('mine', { jkt: newcomer.jkt }), session('b')];
    for (const refuseWhenFull of [0, 1])
      expect(makeRoom(sessions, newcomer, caps({ maxOfCustomer: 1, refuseWhenFull }))).toEqual({
        superseded: ['mine'],
        overCap: [],
      });
  });

  it('is a new one when the earlier has died', () => {
    const dead = session('mine', { jkt: newcomer.jkt, isAlive: false });
    expect(makeRoom([dead, session('a')], newcomer, caps({ maxOfCustomer: 1 }))).toEqual({
      superseded: ['mine'],
      overCap: ['a'],
    });
  });
});

it('never leaves more than the caps allow, and never ends more than it must', () => {
  const anySession = fc.record({
    jkt: fc.constantFrom('new key', 'k1', 'k2', 'k3', 'k4'),
    hasDevice: fc.boolean(),
    isAlive: fc.boolean(),
  });
  const numbers = fc.record({
    maxOfCustomer: fc.integer({ min: 1, max: 5 }),
    maxWithoutDevice: fc.integer({ min: 1, max: 5 }),
  });
  fc.assert(
    fc.property(
      fc.array(anySession, { maxLength: 8 }),
      numbers,
      fc.boolean(),
      (rows, limits, hasDevice) => {
        const sessions = rows.map((row, index) => ({ ...row, sessionId: String(index) }));
        const login = { jkt: 'new key', hasDevice };
        const room = makeRoom(sessions, login, { ...limits, refuseWhenFull: 0 });
        if ('refused' in room) throw new Error('nothing refuses here');
        const gone = new Set([...room.superseded, ...room.overCap]);
        const alive = sessions.filter(({ isAlive, sessionId }) => isAlive && !gone.has(sessionId));
        const isAgain = sessions.some(({ jkt, isAlive }) => isAlive && jkt === login.jkt);
        expect(alive.some(({ jkt }) => jkt === login.jkt)).toBe(false);
        const left = {
          all: alive.length + 1,
          strangers: alive.filter((row) => !row.hasDevice).length + (hasDevice ? 0 : 1),
        };
        const isWithin =
          left.all <= limits.maxOfCustomer &&
          (hasDevice || left.strangers <= limits.maxWithoutDevice);
        expect(isAgain || isWithin).toBe(true);
        // One fewer ended would be one too many: each that left did so at a full house.
        const before = sessions.filter((row) => row.isAlive).length;
        const strangers = sessions.filter((row) => row.isAlive && !row.hasDevice).length;
        const isFull =
          before >= limits.maxOfCustomer || (!hasDevice && strangers >= limits.maxWithoutDevice);
        expect(room.overCap.length > 0).toBe(isFull && !isAgain);
      },
    ),
    { numRuns: 500 },
  );
});
