/**
 * What a move of a step-up causes in its own transaction: evidence, a code, messages in the outbox, a total given back. Which of them, the
 * domain's table says; it must never decide.
 */
import type { Risk } from '../domain/ports.ts';
import type { StepUpEffect } from '../domain/step-up.ts';
import type { Tx } from './connection.ts';
import type { NewOutboxRow } from './outbox.ts';
import type { ProvedKeys } from './step-up-approval.ts';
import { sendStepUpCode } from './step-up-codes.ts';
import { codeEvidence, keysEvidence, type NewEvidence } from './step-up-evidence.ts';
import { callsBack } from './step-up-events.ts';
import { giveBackSpend } from './step-up-spend.ts';
import type { StepUpRecord, StepUpTools } from './step-up.ts';

/** What only a move that proves something needs. */
export interface Proof {
  readonly tools: StepUpTools;
  readonly keys: ProvedKeys | undefined;
  readonly risk: Risk | undefined;
}

/** For the relay; written with the move. */
export function messagesOf(before: StepUpRecord, effect: StepUpEffect): readonly NewOutboxRow[] {
  const { tenantId, stepUpId, customerId } = before;
  const row = { tenantId, subject: stepUpId } as const;
  switch (effect) {
    case 'send_push':
      return [{ ...row, topic: 'push.send', payload: { stepUpId, customerId } }];
    case 'call_back':
      return callsBack(before);
    case 'seal_receipt':
      return [{ ...row, topic: 'receipt.seal', payload: { stepUpId } }];
    case 'record_keys':
    case 'record_code':
    case 'send_code':
    case 'give_back':
      return [];
  }
}

/** At most one a move; written with it, because it names the move's audit row. */
export async function evidenceOf(
  tx: Tx,
  before: StepUpRecord,
  effects: readonly StepUpEffect[],
  proof: Proof | undefined,
): Promise<NewEvidence | undefined> {
  if (effects.includes('record_keys')) {
    const { tools, keys, risk } = driven(proof);
    return await keysEvidence(tx, tools, before, { keys, risk });
  }
  if (effects.includes('record_code')) return await codeEvidence(tx, driven(proof).tools, before);
  return undefined;
}

/** The rest, by statements of its own. */
export async function cause(
  tx: Tx,
  before: StepUpRecord,
  effect: StepUpEffect,
  proof: Proof | undefined,
): Promise<void> {
  const { tenantId, customerId, spend } = before;
  if (effect === 'send_code') await sendStepUpCode(tx, driven(proof).tools, before);
  if (effect === 'give_back' && spend !== null)
    await giveBackSpend(tx, { tenantId, customerId, ...spend });
}

function driven(proof: Proof | undefined): Proof {
  if (proof === undefined) throw new TypeError('only a driven move proves something');
  return proof;
}
