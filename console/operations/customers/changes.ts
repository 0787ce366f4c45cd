/** What staff may change about a customer, each as a question with its effect in words and numbers. */
import type { Change } from '../confirm.tsx';
import { consoleTexts as words } from '../console-texts.ts';
import type {
  Customer,
  DeviceOfCustomer,
  HoldView,
  Reason,
  ReleaseReason,
  SessionOfCustomer,
  StaffApi,
} from '../staff-api.ts';

const asReason = (picked: string): Reason =>
  words.reasons.find(([code]) => code === picked)?.[0] ?? 'other';
const asReleaseReason = (picked: string): ReleaseReason =>
  words.release.reasons.find(([code]) => code === picked)?.[0] ?? 'customer_verified';

export function endSessionChange(api: StaffApi, session: SessionOfCustomer): Change {
  const { sessions: text } = words;
  return {
    title: text.endTitle,
    effects: text.endEffects(session.deviceName ?? text.noDevice),
    reasons: words.reasons,
    act: text.endAct,
    isDangerous: true,
    send: (reason, key) => api.endSession(session.sessionId, asReason(reason), key),
    done: text.ended,
  };
}

export function deviceChange(
  api: StaffApi,
  action: 'suspend' | 'resume' | 'revoke',
  device: DeviceOfCustomer,
  liveSessions: number,
): Change {
  const { devices: text } = words;
  const texts = {
    suspend: {
      title: text.suspendTitle(device.name),
      effects: text.suspendEffects(liveSessions),
      act: text.suspend,
      done: text.suspended,
    },
    resume: {
      title: text.resumeTitle(device.name),
      effects: text.resumeEffects,
      act: text.resume,
      done: text.resumed,
    },
    revoke: {
      title: text.revokeTitle(device.name),
      effects: text.revokeEffects(liveSessions),
      act: text.revoke,
      done: text.revoked,
    },
  }[action];
  return {
    ...texts,
    reasons: words.reasons,
    isDangerous: action !== 'resume',
    send: (reason, key) => api.changeDevice(device.deviceId, action, asReason(reason), key),
  };
}

export function reportChange(api: StaffApi, { deviceId, name }: DeviceOfCustomer): Change {
  const { devices: text } = words;
  return {
    title: text.reportTitle(name),
    effects: text.reportEffects,
    reasons: words.reasons,
    choice: { label: text.reportKind, options: text.reportKinds },
    act: text.reportAct,
    isDangerous: true,
    send: (reason, key, { choice }) => api.reportDevice(deviceId, choice, asReason(reason), key),
    done: text.reported,
  };
}

export function liftReportChange(api: StaffApi, { deviceId, name }: DeviceOfCustomer): Change {
  const { devices: text } = words;
  return {
    title: text.liftTitle(name),
    effects: text.liftEffects,
    reasons: words.reasons,
    act: text.lift,
    isDangerous: false,
    send: (reason, key) => api.liftReport(deviceId, asReason(reason), key),
    done: text.lifted,
  };
}

export function freezeChange(api: StaffApi, { customerId, liveSessions }: Customer): Change {
  const { freeze: text } = words;
  return {
    title: text.title,
    effects: text.effects(liveSessions),
    reasons: words.reasons,
    act: text.act,
    isDangerous: true,
    send: (reason, key) => api.freeze(customerId, asReason(reason), key),
    done: text.done,
  };
}

export function liftFreezeChange(api: StaffApi, { customerId }: Customer): Change {
  const { freeze: text } = words;
  return {
    title: text.liftTitle,
    effects: text.liftEffects,
    reasons: words.reasons,
    act: text.lift,
    isDangerous: false,
    send: (reason, key) => api.liftFreeze(customerId, asReason(reason), key),
    done: text.lifted,
  };
}

export function releaseChange(api: StaffApi, { holdId }: HoldView): Change {
  const { release: text } = words;
  return {
    title: text.title,
    effects: text.effects,
    reasons: text.reasons,
    act: text.act,
    isDangerous: false,
    send: (reason, key) => api.requestRelease(holdId, asReleaseReason(reason), key),
    done: text.done,
  };
}
