/**
 * What can happen to one customer's sessions, as commands that drive the real app and the model side by side: logins, refreshes, lost answers,
 * resent bytes, duplicates, old tokens, strangers, logouts, cut-offs, time. After every command the row is compared with the model.
 */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { cutOffCustomer, releaseCustomer } from '../customer.ts';
import type { Answer } from '../callers.ts';
import { APP, logIn, refresh } from '../login-bed.ts';
import { compare, expected, isUsable, must, rotated } from './refresh-model.ts';
import type { Model, Real } from './refresh-model.ts';
import { sendTwice } from '../replay-proof.ts';

type Command = fc.AsyncCommand<Model, Real>;

const newRequestId = () => randomBytes(9).toString('base64url');

class Show implements Command {
  /** How many generations back. */
  readonly back: number;
  readonly id: 'new' | 'last' | 'none';

  constructor(back: number, id: 'new' | 'last' | 'none') {
    this.back = back;
    this.id = id;
  }

  check({ family }: Readonly<Model>): boolean {
    return family !== undefined && family.tokens.length > this.back;
  }

  async run(model: Model, real: Real): Promise<void> {
    const { family } = model;
    if (family === undefined) throw new TypeError('checked');
    const requestId =
      this.id === 'new' ? newRequestId() : this.id === 'last' ? family.lastId : undefined;
    const shown = family.tokens.length - 1 - this.back;
    const outcome = expected(model, shown, requestId);
    const named = requestId === undefined ? {} : { requestId };
    const answer = await refresh(real.banker.phone, family.tokens[shown] ?? '', named);
    if ('code' in outcome) {
      must(answer, {
        status: 400,
        body: { error: 'invalid_grant', code: outcome.code },
      });
      if (outcome.code === 'refresh_reused') model.family = { ...family, isLive: false };
    } else if ('redelivers' in outcome) {
      must(answer, { status: 200, body: { refresh_token: family.tokens.at(-1) } });
      model.family = { ...family, redeliveries: family.redeliveries + 1 };
    } else {
      model.family = rotated(model, family, answer, requestId, outcome.rotates);
    }
    await compare(model, real);
  }

  toString(): string {
    return `show(${String(this.back)} back, ${this.id} id)`;
  }
}

class Resend implements Command {
  check(model: Readonly<Model>): boolean {
    return isUsable(model);
  }

  /** The answer was lost, and something below the app sent the same bytes again. */
  async run(model: Model, real: Real): Promise<void> {
    const { family } = model;
    if (family === undefined) throw new TypeError('checked');
    const requestId = newRequestId();
    const outcome = expected(model, family.tokens.length - 1, requestId);
    const [first, second] = await sendTwice(real.api, real.banker.phone, {
      grant_type: 'refresh_token',
      client_id: APP,
      refresh_token: family.tokens.at(-1) ?? '',
      request_id: requestId,
    });
    must(second, { status: 400, body: { code: 'dpop_proof_replayed' } });
    if ('rotates' in outcome) {
      // Checked to be an answer with a token by rotated().
      model.family = rotated(model, family, first as Answer, requestId, outcome.rotates);
    } else {
      must(first, { status: 400 });
    }
    await compare(model, real);
  }

  toString(): string {
    return 'resend';
  }
}

class Steal implements Command {
  readonly back: number;

  constructor(back: number) {
    this.back = back;
  }

  check({ family }: Readonly<Model>): boolean {
    return family !== undefined && family.tokens.length > this.back;
  }

  async run(model: Model, real: Real): Promise<void> {
    const token = model.family?.tokens.at(-1 - this.back) ?? '';
    const answer = await refresh(real.thief, token, { requestId: newRequestId() });
    must(answer, { status: 401, body: { code: 'dpop_key_mismatch' } });
    await compare(model, real);
  }

  toString(): string {
    return `steal(${String(this.back)} back)`;
  }
}

export class LogIn implements Command {
  check(): boolean {
    return true;
  }

  async run(model: Model, real: Real): Promise<void> {
    const { status, body } = await logIn(real.banker, real.banker.phone);
    must({ status }, { status: 200 });
    real.sessionId = String(body.session_id);
    model.family = {
      tokens: [String(body.refresh_token)],
      isLive: true,
      isCutOff: false,
      lastId: undefined,
      redeliveries: 0,
      troubled: 0,
      startedMs: model.nowMs,
      seenMs: model.nowMs,
    };
    await compare(model, real);
  }

  toString(): string {
    return 'log in';
  }
}

class LogOut implements Command {
  check(model: Readonly<Model>): boolean {
    return isUsable(model);
  }

  async run(model: Model, real: Real): Promise<void> {
    const { phone } = real.banker;
    const answer = await phone.post('/auth/logout', { scope: 'this' });
    // The access token may have run out before the session did.
    const isEnded = answer.status === 200;
    must(answer, isEnded ? { body: { ended: 1 } } : { body: { code: 'token_expired' } });
    if (isEnded && model.family !== undefined) model.family = { ...model.family, isLive: false };
    await compare(model, real);
  }

  toString(): string {
    return 'log out';
  }
}

/** A false alarm: cut off and released. What began before stays dead; the person may log in again. */
class CutOff implements Command {
  check(): boolean {
    return true;
  }

  async run(model: Model, real: Real): Promise<void> {
    const { customerId } = real.banker;
    const { api } = real;
    const subject = { tenantId: api.tenantId, customerId };
    await api.inTenant((tx) => cutOffCustomer(tx, subject));
    await api.inTenant((tx) => releaseCustomer(tx, subject));
    if (model.family !== undefined) model.family = { ...model.family, isCutOff: true };
    // A challenge has to be younger than the cut-off and the skew.
    await new Wait(6_000).run(model, real);
  }

  toString(): string {
    return 'cut off';
  }
}

class Wait implements Command {
  readonly ms: number;

  constructor(ms: number) {
    this.ms = ms;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, real: Real): Promise<void> {
    real.api.clock.advance(this.ms);
    model.nowMs += this.ms;
    await compare(model, real);
  }

  toString(): string {
    return `wait(${String(this.ms)} ms)`;
  }
}

/** Everything that can happen to one customer's sessions. */
export const commands = fc.commands(
  [
    fc.constant(new LogIn()),
    // More often than anything else, or every life is short.
    fc.constant(new Show(0, 'new')),
    fc.constant(new Show(0, 'new')),
    fc.constant(new Show(0, 'none')),
    fc.constant(new Show(1, 'last')),
    fc.constant(new Show(1, 'last')),
    fc.constant(new Show(1, 'new')),
    fc.constant(new Show(1, 'none')),
    fc
      .tuple(fc.integer({ min: 2, max: 4 }), fc.constantFrom('new' as const, 'last' as const))
      .map(([back, id]) => new Show(back, id)),
    fc.constant(new Resend()),
    fc.integer({ min: 0, max: 2 }).map((back) => new Steal(back)),
    fc.constant(new LogOut()),
    fc.constant(new CutOff()),
    // Far enough from every limit that the seconds the test itself takes decide nothing.
    fc.constantFrom(1_000, 250_000, 550_000, 700_000).map((ms) => new Wait(ms)),
  ],
  { size: '+1', maxCommands: 30 },
);
