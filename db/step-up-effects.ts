/**
 * What a move of a step-up causes in its own transaction: evidence, a code, messages in the outbox, a total given back. Which of them, the
 * domain's table says; it must never decide.
 */
import type { Risk } from '../domain/ports.ts';
import type { StepUpEffect } from '../domain/step-up.ts';
import type { Tx } from './connection.ts';
import { enqueue } from './outbox.ts';
import type { ProvedKeys } from './step-up-approval.ts';
import { sendStepUpCode } from './step-up-codes.ts';
import { recordCode, recordKeys } from './step-up-evidence.ts';
import { callBack } from './step-up-events.ts';
import { giveBackSpend } from './step-up-spend.ts';
import type { StepUpRecord, StepUpTools } from './step-up.ts';

/** What only a move that proves something needs. */
export interface Proof {
  readonly tools: StepUpTools;
  readonly keys: ProvedKeys | undefined;
  readonly risk: Risk | undefined;
}

/** Under the ceremony's lock. The audit row may still be on its way: evidence waits for its id. */
export async function cause(
  tx: Tx,
  before: StepUpRecord,
  {
    effect,
    proof,
    auditId,
  }: { effect: StepUpEffect; proof: Proof | undefined; auditId: Promise<string> },
): Promise<void> {
  const { tenantId, stepUpId, customerId, spend } = before;
  switch (effect) {
    case 'send_push': {
      const payload = { stepUpId, customerId };
      await enqueue(tx, { tenantId, topic: 'push.send', subject: stepUpId, payload });
      break;
    }
    case 'record_keys': {
      const { tools, keys, risk } = driven(proof);
      await recordKeys(tx, tools, before, { keys, risk, auditId });
      break;
    }
    case 'send_code':
      await sendStepUpCode(tx, driven(proof).tools, before);
      break;
    case 'record_code':
      await recordCode(tx, driven(proof).tools, before, auditId);
      break;
    case 'call_back':
      await callBack(tx, before);
      break;
    case 'seal_receipt': {
      const payload = { stepUpId };
      await enqueue(tx, { tenantId, topic: 'receipt.seal', subject: stepUpId, payload });
      break;
    }
    case 'give_back':
      if (spend !== null) await giveBackSpend(tx, { tenantId, customerId, ...spend });
      break;
  }
}

function driven(proof: Proof | undefined): Proof {
  if (proof === undefined) throw new TypeError('only a driven move proves something');
  return proof;
}
