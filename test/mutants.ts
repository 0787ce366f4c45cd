/**
 * Faults that the tests must find: each is one change of one file, made in a copy of the repository, and the tests that must turn red there.
 * `node test/mutants.ts [part of a name]` makes them all, or those; test/unit/mutants.test.ts holds that each still fits its file. It never touches the tree it stands in.
 */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import { CUSTOMER_STEP_UP_MUTANTS } from './customer-step-up-mutants.ts';
import { FAULT_MUTANTS } from './fault-mutants.ts';
import { FREEZE_MUTANTS } from './freeze-mutants.ts';
import { RECOVERY_MUTANTS } from './recovery-mutants.ts';
import { SESSION_MUTANTS } from './session-mutants.ts';
import { STEP_UP_MUTANTS } from './step-up-mutants.ts';

export interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly project: 'unit' | 'contract' | 'api' | 'faults' | 'canary' | 'schemathesis';
  /** The test file, and where it is enough a part of the test's name. */
  readonly test: string;
  readonly only?: string;
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'an event numbered by its position',
    file: 'db/events.ts',
    from: "nextval('outbox_event_sequence') as sequence from",
    to: 'position as sequence from',
    project: 'contract',
    test: 'test/contract/database/events.test.ts',
  },
  {
    name: 'a later event before an earlier one',
    file: 'db/events.ts',
    from: "and earlier.status = 'pending' and earlier.sequence < d.sequence)",
    to: 'and false)',
    project: 'contract',
    test: 'test/contract/relay/events.test.ts',
  },
  {
    name: 'a feed of cut-offs that goes on after what it saw',
    file: 'db/cut-off-feed.ts',
    from: '`${thisRound}-${thisRound}-0`',
    to: '`${mark.newest}-${mark.newest}-0`',
    project: 'contract',
    test: 'test/contract/gateway/cut-off-feed.test.ts',
  },
  {
    name: 'a verifier that trusts an old feed',
    file: 'sdk/verifier/cut-offs.ts',
    from: 'Math.abs(nowMs() - asOfMs) <= maxAgeMs',
    to: 'maxAgeMs > 0',
    project: 'unit',
    test: 'test/unit/verifier.test.ts',
  },
  {
    name: 'a push to a device that may not answer',
    file: 'db/push.ts',
    from: "join device d on d.tenant_id = p.tenant_id and d.device_id = p.device_id and d.status = 'trusted'\n    where",
    to: 'join device d on d.tenant_id = p.tenant_id and d.device_id = p.device_id\n    where',
    project: 'contract',
    test: 'test/contract/relay/push.test.ts',
    only: 'a push without a device',
  },
  {
    name: 'a stream that outlives a cut-off',
    file: 'api/streams/app-stream.ts',
    from: 'if (ended.has(listener.sessionId)) finish(listener);',
    to: 'if (ended.size > 1_000) finish(listener);',
    project: 'api',
    test: 'test/api/app-stream.test.ts',
    only: 'ends at a cut-off',
  },
  {
    name: 'recovery: a camera in the place of the second contact',
    file: 'domain/factor-ledger.ts',
    from: 'return isEvidence && factorStrength(identity, epoch) === 3;',
    to: 'return factorStrength(identity, epoch) === 3;',
    project: 'unit',
    test: 'test/unit/factor-ledger.test.ts',
  },
  {
    name: 'recovery: the approval of who prepared the case counts at the binding',
    file: 'db/recovery-facts.ts',
    from: 'and (f.recorded_by = d.staff_id or latchkey_same_person(f.recorded_employee, d.employee))',
    to: 'and false',
    project: 'contract',
    test: 'test/contract/database/recovery-decisions.test.ts',
    only: 'at the binding',
  },
  {
    name: 'a body that nobody signed',
    file: 'sdk/verifier/signature.ts',
    from: "throw invalid('content-digest');",
    to: 'return;',
    project: 'api',
    test: 'test/api/verifier.test.ts',
    only: 'a signed request',
  },
  {
    name: 'an identity header of the client let through nginx',
    file: 'ops/nginx/latchkey.conf',
    from: 'proxy_set_header X-Device-ID $latchkey_device;',
    to: '',
    project: 'contract',
    test: 'test/contract/gateway/nginx.test.ts',
  },
  {
    name: 'FOR SHARE removed from the first statement of a final grant',
    file: 'db/customer-lock.ts',
    from: 'and customer_id = ${customerId} for share`',
    to: 'and customer_id = ${customerId}`',
    project: 'contract',
    test: 'test/contract/race/final-grant.test.ts',
  },
  {
    name: 'epoch join removed',
    file: 'domain/session-standing.ts',
    from: 'if (facts.epoch !== facts.customerEpoch)',
    to: 'if (facts.epoch > facts.customerEpoch)',
    project: 'api',
    test: 'test/api/refresh-model.test.ts',
  },
  {
    name: 'request id ignored',
    file: 'db/refresh.ts',
    from: 'isSameRequest: isSame(session.requestHash, refresh.requestHash ?? null)',
    to: 'isSameRequest: true',
    project: 'api',
    test: 'test/api/refresh-model.test.ts',
  },
  {
    name: 'jti ignored',
    file: 'db/refresh-statement.ts',
    from: 'jti: toHex(proof.jtiHash)',
    // Another each time, so that none is ever found again.
    to: 'jti: toHex(next.salt)',
    project: 'api',
    test: 'test/api/refresh-model.test.ts',
  },
  {
    name: 'jkt left out of the token’s MAC and of the row’s comparison',
    file: 'api/tokens/refresh-token.ts',
    from: '[tenantId, jkt, token.family',
    to: '[tenantId, jkt.slice(0, 0), token.family',
    project: 'api',
    test: 'test/api/refresh-model.test.ts',
  },
  {
    name: 'an expired row revived',
    file: 'domain/session-standing.ts',
    from: 'if (facts.nowMs >= idleMs)',
    to: 'if (facts.nowMs >= absoluteMs)',
    project: 'api',
    test: 'test/api/refresh-model.test.ts',
  },
  {
    name: 'a proof shown twice in one batch of a gateway',
    file: 'api/statement-batches.ts',
    from: '!one.keys.some((key) => taken.has(key))',
    to: 'true',
    project: 'contract',
    test: 'test/contract/database/session-checks.test.ts',
  },
  {
    name: 'reuse not ending the family',
    file: 'db/refresh.ts',
    from: "if (decision === 'reused') {",
    to: "if (decision === 'unknown') {",
    project: 'api',
    test: 'test/api/refresh-model.test.ts',
  },
  {
    name: 'a challenge spent outside the grant’s judgement',
    file: 'db/login.ts',
    from: 'if (!resultOf(spent))',
    to: 'if (!resultOf(spent) && !customer)',
    project: 'api',
    test: 'test/api/login.test.ts',
  },
  {
    name: 'a challenge from before the cut-off accepted',
    file: 'db/login.ts',
    from: '  refuseOldChallenge(customer,',
    to: '  if (version < 0) refuseOldChallenge(customer,',
    project: 'api',
    test: 'test/api/login.test.ts',
  },
  {
    name: 'four eyes compared by account',
    file: 'db/approvals.ts',
    from: 'isSamePerson: persons?.isSamePerson !== false',
    to: 'isSamePerson: staffId === preparedBy',
    project: 'contract',
    test: 'test/contract/database/approvals.test.ts',
  },
  {
    name: 'an approval of a hold that changed',
    file: 'domain/approval.ts',
    from: '!facts.isUnchanged || ',
    to: '',
    project: 'contract',
    test: 'test/contract/database/approvals.test.ts',
  },
  {
    name: 'an approval without the customer’s lock',
    file: 'db/approvals.ts',
    from: '  await lockCustomer(tx, tenantId, found.customerId);\n',
    to: '',
    project: 'contract',
    test: 'test/contract/race/approval.test.ts',
    only: 'a fresh cut-off',
  },
  {
    name: 'an approval whose preparer lost the role',
    file: 'domain/approval.ts',
    from: '|| !mayPrepare(facts.preparerRoles)',
    to: '|| facts.preparerRoles.length > 4',
    project: 'contract',
    test: 'test/contract/database/approval-model.test.ts',
  },
  {
    name: 'a session ended by staff without the customer’s row',
    file: 'db/staff-desk-sessions.ts',
    from: '  await touchCustomer(tx, tenantId, customerId);\n',
    to: '',
    project: 'api',
    test: 'test/api/staff-customers.test.ts',
  },
  {
    name: 'leak: whom a message goes to, in a log',
    file: 'relay/messages.ts',
    from: "    if (channel === 'phone') await",
    to: "    process.stdout.write(`${facts.to}\\n`);\n    if (channel === 'phone') await",
    project: 'canary',
    test: 'test/canary/canary.test.ts',
    only: 'nothing secret stands where it may not',
  },
  {
    name: 'leak: who is checked, in a history',
    file: 'activities/identity.ts',
    from: 'await store.recordVendorReference({ tenantId, attemptId, vendorReference });',
    to: 'await store.recordVendorReference({ tenantId, attemptId, vendorReference });\n      return details as never;',
    project: 'canary',
    test: 'test/canary/canary.test.ts',
    only: 'nothing secret stands where it may not',
  },
  {
    name: 'contract: a planted 500',
    file: 'api/routes/me.ts',
    from: "if (session === undefined) throw new LatchkeyError('session_ended');",
    to: "if (session !== undefined) throw new Error('planted');",
    project: 'schemathesis',
    test: 'test/schemathesis/contract.test.ts',
    only: 'keeps its document at the public door',
  },
  {
    name: 'introspection by the token alone',
    file: 'api/callers/authentication.ts',
    from: 'judgeCustomer(await readSession(tx, tenantId, claims.sid), tenant, claims),',
    to: 'judgeCustomer({ ...(await readSession(tx, tenantId, claims.sid))!, status: "live", isHeld: false }, tenant, claims),',
    project: 'api',
    test: 'test/api/introspection.test.ts',
    only: 'after a logout',
  },
  {
    name: 'a rotated refresh token still active',
    file: 'api/callers/shown-tokens.ts',
    from: 'if (!Buffer.from(tokenHash(opened.token)).equals(session.currentHash)) return undefined;',
    to: '',
    project: 'api',
    test: 'test/api/introspection.test.ts',
  },
  {
    name: 'a token given back by another key',
    file: 'api/routes/revocation-endpoint.ts',
    from: 'if (session?.jkt !== held.jkt || ',
    to: 'if (session === undefined || ',
    project: 'api',
    test: 'test/api/revocation-endpoint.test.ts',
  },
  {
    name: 'personal data without its scope',
    file: 'db/customer-claims.ts',
    from: '.filter((kind) => may[kind]);',
    to: ';',
    project: 'api',
    test: 'test/api/userinfo.test.ts',
  },
  {
    name: 'an old login taken for a recent one',
    file: 'api/callers/strength.ts',
    from: 'ageSeconds <= maxAgeSeconds',
    to: 'ageSeconds >= 0',
    project: 'api',
    test: 'test/api/strength.test.ts',
  },
  {
    name: 'logins of one customer at once',
    file: 'db/session-caps.ts',
    from: '`login/${tenantId}/${customerId}`',
    to: '`login/${tenantId}/${Math.random()}`',
    project: 'api',
    test: 'test/api/session-caps.test.ts',
    only: 'of many at once',
  },
  {
    name: 'a suspension without the customer',
    file: 'api/callers/standing-owner.ts',
    from: 'await touchCustomer(tx, tenant.tenantId, customerId);',
    to: '',
    project: 'api',
    test: 'test/api/devices.test.ts',
    only: 'of two that suspend each other',
  },
  {
    name: 'passkeys left to a device that was suspended',
    file: 'db/device-changes.ts',
    from: "update credential set status = 'suspended', suspended_by = ${deviceId}",
    to: 'update credential set suspended_by = ${deviceId}',
    project: 'api',
    test: 'test/api/devices.test.ts',
  },
  ...FREEZE_MUTANTS,
  ...FAULT_MUTANTS,
  ...RECOVERY_MUTANTS,
  ...SESSION_MUTANTS,
  ...STEP_UP_MUTANTS,
  ...CUSTOMER_STEP_UP_MUTANTS,
];

const LEFT_OUT = new Set(['node_modules', '.git', 'dist', 'test-results', 'coverage']);

/** Its test turned red, as it must, and this is what it said first; undefined: it stayed green. Read it: a test may be red for another reason. */
async function redOf(mutant: Mutant, root: string): Promise<string | undefined> {
  const copy = await mkdtemp(join(tmpdir(), 'latchkey-mutant-'));
  try {
    for (const entry of await readdir(root))
      if (!LEFT_OUT.has(entry)) await cp(join(root, entry), join(copy, entry), { recursive: true });
    await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
    const path = join(copy, mutant.file);
    const source = await readFile(path, 'utf8');
    if (!source.includes(mutant.from))
      throw new Error(`${mutant.name} no longer fits ${mutant.file}`);
    await writeFile(
      path,
      source.replace(mutant.from, () => mutant.to),
    );
    const args = ['vitest', 'run', '--project', mutant.project, mutant.test];
    if (mutant.only !== undefined) args.push('-t', mutant.only);
    return await promisify(execFile)('npx', args, { cwd: copy, maxBuffer: 2 ** 26 }).then(
      () => undefined,
      (error: unknown) => {
        // What execFile rejects with carries both.
        const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
        // Red because a test failed, not because nothing started.
        if (!/Tests .*failed/.test(stdout)) throw error;
        const said = stripVTControlCharacters(`${stderr}\n${stdout}`);
        return /^ *FAIL .*\n(.{1,300})/m.exec(said)?.[1] ?? '';
      },
    );
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '..');
  const [, , wanted = ''] = process.argv;
  const chosen = MUTANTS.filter(({ name }) => name.includes(wanted));
  let missed = 0;
  for (const mutant of chosen) {
    const red = await redOf(mutant, root);
    if (red === undefined) missed += 1;
    const verdict = red === undefined ? 'MISSED' : 'found ';
    process.stdout.write(`${verdict}  ${mutant.name} (${mutant.test})\n`);
    if (red !== undefined) process.stdout.write(`        ${red}\n`);
  }
  process.stdout.write(
    `${String(chosen.length - missed)} of ${String(chosen.length)} mutants found\n`,
  );
  process.exitCode = missed === 0 ? 0 : 1;
}
