/** A verified call as the agent sees it, by the bank's own door. What comes is checked here. */
import { numberOf, optionalText, textOf } from './control-call.ts';
import type { Members } from './control-call.ts';

export interface CallView {
  readonly stepUpId: string;
  readonly caseReference: string;
  readonly status: string;
  readonly provedSecondsAgo: number | undefined;
  readonly deviceName: string | undefined;
  readonly deviceTrustedSince: string | undefined;
}

export function readCall(members: Members): CallView {
  return {
    stepUpId: textOf(members['stepUpId']),
    caseReference: textOf(members['caseReference']),
    status: textOf(members['status']),
    provedSecondsAgo: numberOf(members['provedSecondsAgo']),
    deviceName: optionalText(members['deviceName']),
    deviceTrustedSince: optionalText(members['deviceTrustedSince']),
  };
}
