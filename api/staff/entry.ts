/**
 * From a proved person to a session, once for each login: at once for a browser, by way of a one-time code for a command line (RFC 8252 with a
 * verifier of its own). Who has no role gets no session, and loses those they had.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { spendChallenge } from '../../db/challenges.ts';
import type { Tx } from '../../db/connection.ts';
import { recordStaffLogin } from '../../db/staff.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import type { StaffSessionKind } from '../../domain/staff.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { RequestTenant } from '../types.ts';
import type { ProvedLogin } from './login.ts';
import type { CommandLine } from './return-to.ts';
import { createSeal } from './seal.ts';
import { newStaffToken, staffTokenHash } from './tokens.ts';

/** From one redirect to the command line's next request. */
const CODE_SECONDS = 60;
/** A login is remembered as spent for longer than anything holds it. */
const SPENT_MS = 60 * 60 * 1000;

interface CliCode extends ProvedLogin {
  readonly challenge: string;
  readonly madeAtMs: number;
}

export interface StaffEntry {
  /** Answers the session's token. @throws LatchkeyError staff_login_failed when it was done before, no_staff_role */
  enter(
    tenant: RequestTenant,
    proved: ProvedLogin,
    args: { readonly kind: StaffSessionKind; readonly replaces?: string | undefined },
  ): Promise<string>;
  /** For the command line's listener. @throws LatchkeyError no_staff_role */
  codeFor(tenant: RequestTenant, proved: ProvedLogin, commandLine: CommandLine): Promise<string>;
  /** The other end of codeFor. @throws LatchkeyError staff_login_failed */
  redeem(
    tenant: RequestTenant,
    shown: { readonly code: string; readonly verifier: string },
  ): Promise<ProvedLogin>;
}

export function createStaffEntry({
  database,
  kms,
  clock,
  newId,
}: Pick<AppDependencies, 'database' | 'kms' | 'clock' | 'newId'>): StaffEntry {
  const seal = createSeal<CliCode>(kms, 'staff-cli-code');

  const enter: StaffEntry['enter'] = async ({ tenantId }, proved, { kind, replaces }) => {
    const token = newStaffToken(tenantId);
    const { mark, ...person } = proved;
    const entered = await database.tenant(tenantId, async (tx) => {
      await spend(tx, mark, clock.nowMs());
      return await recordStaffLogin(tx, {
        ...person,
        acr: person.acr,
        tenantId,
        staffId: newId('staff'),
        staffSessionId: newId('staffSession'),
        kind,
        tokenHash: staffTokenHash(token),
        replaces,
      });
    });
    // After the commit: the refusal, and the end of what they had, stand.
    if (entered === undefined) throw new LatchkeyError('no_staff_role');
    return token;
  };

  return {
    enter,
    codeFor: async (tenant, proved, { challenge }) => {
      if (proved.identity.roles.length === 0) await enter(tenant, proved, { kind: 'cli' });
      const madeAtMs = clock.nowMs();
      return await seal.close(tenant.tenantId, { ...proved, challenge, madeAtMs });
    },
    redeem: async (tenant, { code, verifier }) => {
      const opened = await seal.open(tenant.tenantId, code);
      if (opened === undefined) throw new LatchkeyError('staff_login_failed');
      const { challenge, madeAtMs, ...proved } = opened;
      const shown = createHash('sha256').update(verifier).digest();
      // 43 characters of base64url are 32 bytes, as long as the digest.
      const isIts = timingSafeEqual(shown, Buffer.from(challenge, 'base64url'));
      if (!isIts || clock.nowMs() - madeAtMs >= CODE_SECONDS * 1000)
        throw new LatchkeyError('staff_login_failed');
      return proved;
    },
  };
}

/** The provider forgets a code that was used; this holds even if it does not. */
async function spend(tx: Tx, mark: string, nowMs: number): Promise<void> {
  const hash = createHash('sha256').update(`staff-login/1\0${mark}`).digest();
  if (!(await spendChallenge(tx, hash, nowMs + SPENT_MS)))
    throw new LatchkeyError('staff_login_failed', { detail: 'done before' });
}
