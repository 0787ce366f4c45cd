/** How far a story about a payment has come, told from the phone and the payments desk. Pure. */
import type { PhoneState } from '../phone/phone-state.ts';
import type { PayStory, StageFacts } from './stories.ts';

export function payStep(story: PayStory, facts: StageFacts): number {
  const { phone } = facts;
  if (phone.screen.kind !== 'home') return story === 'pay-fraud' ? cutOffStep(facts) : 0;
  switch (story) {
    case 'pay-40':
      return phone.payment?.status === 'paid' ? 2 : 1;
    case 'pay-400':
      return passkeyStep(phone);
    case 'pay-40000':
      return codeStep(phone);
    case 'pay-changed':
      return changedStep(facts);
    case 'pay-replay':
      return replayStep(facts);
    case 'pay-fraud':
      return cutOffStep(facts);
    case 'pay-lost':
      return lostStep(facts);
    case 'pay-workflow':
      return workflowStep(facts);
  }
}

function passkeyStep({ payment, stepUp, receipt }: PhoneState): number {
  if (receipt?.verification !== undefined) return 5;
  if (payment?.status === 'paid') return 4;
  if (payment?.status === 'approved' || stepUp?.view.status === 'approved') return 3;
  return stepUp === undefined ? 1 : 2;
}

function codeStep(phone: PhoneState): number {
  const { payment, stepUp, receipt } = phone;
  if (receipt?.verification !== undefined) return 6;
  if (payment?.status === 'paid') return 5;
  if (payment?.status === 'approved' || stepUp?.view.status === 'approved') return 4;
  if (stepUp?.view.status === 'second_factor') return 3;
  return stepUp === undefined ? 1 : 2;
}

function changedStep({ payments }: StageFacts): number {
  const latest = payments?.payments[0];
  const isRefused = latest?.tries.some(({ what }) => what === 'refused') === true;
  if (latest?.status === 'paid') return isRefused ? 4 : 1;
  if (isRefused) return 3;
  return latest?.status === 'approved' ? 2 : 1;
}

function replayStep({ payments }: StageFacts): number {
  const latest = payments?.payments[0];
  if (latest?.status !== 'paid') return 1;
  return payments?.replayed === undefined ? 2 : 3;
}

function cutOffStep({ phone, fraud, payments }: StageFacts): number {
  const isRefused = payments?.payments[0]?.status === 'refused';
  if (fraud.cutOff !== undefined) return isRefused ? 4 : 3;
  if (phone.screen.kind !== 'home') return 0;
  return phone.stepUp === undefined ? 1 : 2;
}

function lostStep({ phone: { payment, stepUp, busy }, parts }: StageFacts): number {
  if (payment?.status === 'paid') return 4;
  const isLost = parts?.events.some(({ what }) => what === 'answer_lost') === true;
  if (stepUp !== undefined && isLost) return 3;
  return stepUp === undefined && busy !== 'approve' ? 1 : 2;
}

function workflowStep({ phone: { stepUp }, payments }: StageFacts): number {
  const workflow = payments?.workflow;
  if (workflow === undefined) return 1;
  if (workflow.status === 'completed') return 4;
  return stepUp?.view.status === 'approved' ? 3 : 2;
}
