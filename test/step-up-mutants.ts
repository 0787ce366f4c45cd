/**
 * What the random lives around approvals (test/api/step-up-model.test.ts) and the races of step-ups must find: one change each after which an approval is
 * worth more than the customer gave. Made and checked by test/mutants.ts as its other mutants are.
 */
import type { Mutant } from './mutants.ts';

const LIVES = { project: 'api', test: 'test/api/step-up-model.test.ts' } as const;
const RACE = { project: 'contract', test: 'test/contract/race/step-up.test.ts' } as const;
const CROWD = { project: 'contract', test: 'test/contract/race/step-up-crowd.test.ts' } as const;
const GUESSES = {
  project: 'contract',
  test: 'test/contract/database/step-up-guesses.test.ts',
} as const;
const rowsOf = (what: 'requests' | 'proofs' | 'ends') =>
  ({ project: 'contract', test: `test/contract/database/step-up-${what}.test.ts` }) as const;

export const STEP_UP_MUTANTS: readonly Mutant[] = [
  {
    name: 'step-up: FOR SHARE removed from the first statement of its grants',
    file: 'db/customer-lock.ts',
    from: 'and customer_id = ${customerId} for share`',
    to: 'and customer_id = ${customerId}`',
    ...RACE,
  },
  {
    name: 'step-up: keys and code granted without the customer’s row',
    file: 'db/step-up-moves.ts',
    from: 'const customer = isGrant(event)\n    ? await shareCustomerOf(tx, request, submission?.customerId)\n    : undefined;',
    to: 'const [customer] = await tx<LockedCustomer[]>`select status, security_epoch as epoch from customer where customer_id = (select customer_id from step_up where step_up_id = ${stepUpId})`;',
    ...RACE,
  },
  {
    name: 'step-up: an approval used without its epoch',
    file: 'db/step-up-approval.ts',
    from: "customer?.status !== 'active' || customer.epoch !== before.epoch",
    to: "customer?.status !== 'active' || customer.epoch < before.epoch",
    ...LIVES,
  },
  {
    name: 'step-up: an approval used by somebody else',
    file: 'db/step-up-consume.ts',
    from: 'before === undefined || !isRequester(before, use.requester)',
    to: 'before === undefined',
    ...LIVES,
  },
  {
    name: 'step-up: another action than the approved one',
    file: 'db/step-up-consume.ts',
    from: 'if (canonicalAction(use.action) !== canonical)',
    to: 'if (canonicalAction(use.action).length === 0)',
    ...LIVES,
  },
  {
    name: 'step-up: used as often as it is asked for',
    file: 'domain/step-up.ts',
    from: '  ended: {},\n};',
    to: "  ended: { consumed: { outcome: 'completed', reason: 'consumed' } },\n};",
    ...LIVES,
  },
  {
    name: 'step-up: a repeated use taken for a new one',
    file: 'db/step-up-consume.ts',
    from: '    isRepeat: true,',
    to: '    isRepeat: false,',
    ...LIVES,
  },
  {
    name: 'step-up: used without the ceremony’s lock',
    file: 'db/step-up-consume.ts',
    from: 'const before = await readStepUp(tx, use, true);',
    to: 'const before = await readStepUp(tx, use);',
    ...RACE,
  },
  {
    name: 'step-up: a signature over a former opening',
    file: 'db/step-up-approval.ts',
    from: 'challenge === null || !isForChallenge(approval, before, challenge)',
    to: 'challenge === null',
    ...LIVES,
  },
  {
    name: 'step-up: a challenge that only the passkey signed',
    file: 'db/step-up-approval.ts',
    from: "    isSame(signed['challenge'], challenge) &&\n",
    to: '',
    ...rowsOf('proofs'),
  },
  {
    name: 'step-up: a challenge good on every device',
    file: 'db/step-up-approval.ts',
    from: 'if (before.openedDeviceId !== deviceId)',
    to: "if (deviceId === '')",
    ...rowsOf('proofs'),
  },
  {
    name: 'step-up: an older request that stays beside the newer',
    file: 'db/step-up-create.ts',
    from: 'await supersedeStepUp(tx, former, actorOf(request));',
    to: 'continue;',
    ...LIVES,
  },
  {
    name: 'step-up: a second request beside the one that is waited for',
    file: 'db/step-up-create.ts',
    from: 'waiting = stepUpId;',
    // The index holds it still, but nobody is told which one.
    to: 'waiting = undefined;',
    ...rowsOf('requests'),
  },
  {
    name: 'step-up: an approval that never expires',
    file: 'domain/step-up.ts',
    from: 'nowMs >= consumableAtMs && nowMs < lastMomentMs(stepUp)',
    to: 'nowMs >= consumableAtMs',
    ...LIVES,
  },
  {
    name: 'step-up: a cut-off that leaves step-ups open',
    file: 'db/revocation.ts',
    from: 'const stepUps = await endRevokedStepUps(tx, { tenantId, customerId, newEpoch, revocationId });',
    to: 'const stepUps = 0;',
    ...rowsOf('ends'),
  },
  {
    name: 'step-up: an amount that is not given back',
    file: 'domain/step-up.ts',
    from: "effects: outcome === 'completed' ? [] : ['give_back', 'call_back'],",
    to: "effects: outcome === 'completed' ? [] : ['call_back'],",
    ...LIVES,
  },
  {
    name: 'step-up: a day’s total read before it is raised',
    file: 'db/step-up-spend.ts',
    from: 'do update set total_minor = s.total_minor + excluded.total_minor\n    returning s.day::text as day, s.total_minor`',
    to: 'do update set total_minor = s.total_minor + excluded.total_minor\n    returning s.day::text as day, excluded.total_minor`',
    ...CROWD,
  },
  {
    name: 'step-up: guesses counted outside their statement',
    file: 'db/step-attempts.ts',
    from: "set wrong_count = wrong_count + 1, status = case when wrong_count + 1 >= ${maxWrong} then 'exhausted' else 'open' end",
    to: 'set wrong_count = wrong_count',
    ...CROWD,
  },
  {
    name: 'step-up: refusals that pause nobody',
    file: 'db/step-up-pauses.ts',
    from: 'await refuseRefused(tx, asking);',
    to: '',
    ...rowsOf('requests'),
  },
  {
    name: 'step-up: a thief’s guesses counted against the owner’s phone',
    file: 'db/step-up-guesses.ts',
    from: 'not (k.is_known or mine.is_known) as is_unknown',
    to: 'true as is_unknown',
    ...GUESSES,
  },
  {
    name: 'step-up: keys that nobody knows without an end together',
    file: 'db/step-up-guesses.ts',
    from: 'unknown.wrong >= policy.stepUp.wrongOfUnknownKeys',
    to: 'unknown.wrong < 0',
    ...GUESSES,
  },
  {
    name: 'step-up: prompts without end',
    file: 'db/step-up-pauses.ts',
    from: 'await refuseUnanswered(tx, asking);',
    to: '',
    ...CROWD,
  },
  {
    name: 'step-up: a message to a workflow taken for a code',
    file: 'db/step-up-moves.ts',
    from: "if (event === 'code_matched' || event === 'code_exhausted') {",
    to: "if (event === 'code_exhausted') {",
    ...rowsOf('proofs'),
  },
  {
    name: 'step-up: a hold that comes after the refusal',
    file: 'db/step-up-ends.ts',
    from: "const cut = event === 'not_me' ? await holdAfter(tx, tools, before) : undefined;",
    to: 'const cut = undefined;',
    ...rowsOf('ends'),
  },
];
