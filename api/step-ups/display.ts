/** The text of an action as a customer is sent it: of the template that the action's type has, in his language. */
import { actionTypesFor } from '../../db/action-types.ts';
import type { Tx } from '../../db/connection.ts';
import type { StepUpOpening } from '../../db/step-up-open.ts';
import { openRequest, type StepUpRecord } from '../../db/step-up.ts';
import type { Action } from '../../domain/action.ts';
import { displayOf, type Display } from '../../domain/step-up-texts.ts';
import type { AppDependencies } from '../dependencies.ts';

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

/** What stands in the preimage, word for word, with its fields beside it: a template that changed since changes nothing of it. */
export async function signedDisplay(
  tx: Tx,
  tools: Pick<AppDependencies, 'personalData'>,
  {
    record,
    preimage,
    render,
  }: {
    readonly record: StepUpRecord;
    readonly preimage: string;
    readonly render: StepUpOpening['render'];
  },
): Promise<Display> {
  // Written by openStepUp.
  const { display } = JSON.parse(preimage) as { readonly display: Omit<Display, 'fields'> };
  const { action, requesterName } = await openRequest(tx, tools, record);
  const { fields } = await render({ action, requesterName, locale: display.locale });
  return { ...display, fields };
}
