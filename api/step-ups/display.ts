/** The text of an action as a customer is sent it: of the template that the action's type has, in his language. */
import { actionTypesFor } from '../../db/action-types.ts';
import type { Tx } from '../../db/connection.ts';
import type { Action } from '../../domain/action.ts';
import { displayOf, fieldsOf, type Display } from '../../domain/step-up-texts.ts';

export async function renderAction(
  tx: Tx,
  subject: {
    readonly tenantId: string;
    readonly action: Action;
    readonly requesterName: string;
    readonly locale: string;
  },
): Promise<Display> {
  const { tenantId, action, locale, requesterName } = subject;
  return displayOf(action, locale, requesterName, await actionTypesFor(tx, tenantId, action));
}

/** What stands in the preimage, word for word, and its parts: a template that changed since changes nothing of it. */
export function signedDisplay(preimage: string): Display {
  // Written by openStepUp.
  const { display } = JSON.parse(preimage) as { readonly display: Omit<Display, 'fields'> };
  return { ...display, fields: fieldsOf(display.text) };
}
