/** The SDK's answer types against the server's schemas, both ways: `tsc` fails when one of them changes alone. */
import type { Static } from 'typebox';
import { describe, expectTypeOf, it } from 'vitest';
import type { EnrollmentView as EnrollmentSchema } from '../../api/schemas/enrollments.ts';
import type { SessionTokens } from '../../api/schemas/login.ts';
import type { ReportedDeviceAnswer } from '../../api/schemas/device-reports.ts';
import type { FreezeRequestAnswer, FrozenAnswer } from '../../api/schemas/freezes.ts';
import type { ChangedDeviceAnswer, DeviceView } from '../../api/schemas/devices.ts';
import type { HistoryEntryView, LoginHistoryAnswer } from '../../api/schemas/login-history.ts';
import type {
  CustomerStepUp as StepUpSchema,
  OpenedStepUp as OpenedSchema,
  OpenStepUpBody,
} from '../../api/schemas/customer-step-ups.ts';
import type {
  ObjectionAnswer,
  OwnRecovery as OwnRecoverySchema,
  RecoveryRequestView as RecoveryRequestSchema,
  RecoveryView as RecoverySchema,
} from '../../api/schemas/recoveries.ts';
import type { LoginStepUpView } from '../../api/schemas/login-step-ups.ts';
import type { PushRegistration as PushSchema } from '../../api/schemas/push.ts';
import type { LogoutBody, MeAnswer, SessionView } from '../../api/schemas/sessions.ts';
import type { RecoveryRecordFile as SignedRecord } from '../../domain/recovery-record.ts';
import type { Receipt } from '../../domain/receipt.ts';
import type { SignedRevocationReceipt } from '../../domain/revocation.ts';
import type { StepUpContext as SignedContext } from '../../domain/step-up-preimage.ts';
import type { StepUpStatus as ServerStatus } from '../../domain/step-up-status.ts';
import type {
  ReceiptFile,
  RecoveryRecordFile,
  RevocationReceiptFile,
} from '../../sdk/receipt/types.ts';
import type {
  Objected,
  OwnRecovery,
  RecoveryRequestView,
  RecoveryView,
} from '../../sdk/recovery-types.ts';
import type {
  ChangedDevice,
  CustomerStepUp,
  DeviceEntry,
  EnrollmentView,
  FreezeRequested,
  Frozen as FrozenAccount,
  HistoryEntry,
  LoginHistory,
  LoginStepUp,
  LogoutScope,
  Me,
  OpenedStepUp,
  PushRegistration,
  ReportedDevice,
  SessionEntry,
  StepUpContext,
  StepUpStatus,
  TokenAnswer,
} from '../../sdk/types.ts';

/** The SDK's types are readonly throughout, a schema's are not. */
type Frozen<Value> = Value extends (infer Item)[]
  ? readonly Frozen<Item>[]
  : Value extends object
    ? { readonly [Name in keyof Value]: Frozen<Value[Name]> }
    : Value;

/** What `extends Omit<…>` brings, as one list of members. */
type Plain<Value> = { [Name in keyof Value]: Value[Name] };

describe('the answers of the API as the SDK types them', () => {
  it('are the enrollment view', () => {
    expectTypeOf<EnrollmentView>().toEqualTypeOf<Frozen<EnrollmentSchema>>();
  });

  it('are a recovery, on the new phone and on the old one', () => {
    expectTypeOf<RecoveryRequestView>().toEqualTypeOf<Frozen<RecoveryRequestSchema>>();
    expectTypeOf<Omit<RecoveryView, 'factors'>>().toEqualTypeOf<
      Frozen<Omit<RecoverySchema, 'factors'>>
    >();
    expectTypeOf<OwnRecovery>().toEqualTypeOf<Frozen<OwnRecoverySchema>>();
    expectTypeOf<Objected>().toEqualTypeOf<Frozen<ObjectionAnswer>>();
  });

  it('are the token answer', () => {
    expectTypeOf<TokenAnswer>().toEqualTypeOf<Frozen<SessionTokens>>();
  });

  it('are what a device is told by', () => {
    expectTypeOf<PushRegistration>().toEqualTypeOf<Frozen<Static<typeof PushSchema>>>();
  });

  it('are the customer and the sessions', () => {
    expectTypeOf<Me>().toEqualTypeOf<Frozen<Static<typeof MeAnswer>>>();
    expectTypeOf<SessionEntry>().toEqualTypeOf<Frozen<Static<typeof SessionView>>>();
    expectTypeOf<LogoutScope>().toEqualTypeOf<Static<typeof LogoutBody>['scope']>();
  });

  it('are the login history, the devices and their changes', () => {
    expectTypeOf<HistoryEntry>().toEqualTypeOf<Frozen<HistoryEntryView>>();
    expectTypeOf<LoginHistory>().toEqualTypeOf<Frozen<Static<typeof LoginHistoryAnswer>>>();
    expectTypeOf<DeviceEntry>().toEqualTypeOf<Frozen<DeviceView>>();
    expectTypeOf<ChangedDevice>().toEqualTypeOf<Frozen<ChangedDeviceAnswer>>();
    expectTypeOf<ReportedDevice>().toEqualTypeOf<Frozen<ReportedDeviceAnswer>>();
    expectTypeOf<FrozenAccount>().toEqualTypeOf<Frozen<FrozenAnswer>>();
    expectTypeOf<FreezeRequested>().toEqualTypeOf<Frozen<FreezeRequestAnswer>>();
  });

  it('are the step-ups, those of a login too', () => {
    expectTypeOf<CustomerStepUp>().toEqualTypeOf<Frozen<StepUpSchema>>();
    expectTypeOf<Plain<OpenedStepUp>>().toEqualTypeOf<Frozen<OpenedSchema>>();
    expectTypeOf<StepUpContext>().toEqualTypeOf<Frozen<OpenStepUpBody['context']>>();
    expectTypeOf<StepUpContext>().toEqualTypeOf<SignedContext>();
    expectTypeOf<StepUpStatus>().toEqualTypeOf<ServerStatus>();
    expectTypeOf<LoginStepUp>().toEqualTypeOf<Frozen<LoginStepUpView>>();
  });

  it('are the receipts, member for member as the bank signs them', () => {
    expectTypeOf<ReceiptFile>().toEqualTypeOf<Plain<Receipt>>();
    expectTypeOf<RevocationReceiptFile>().toEqualTypeOf<Plain<SignedRevocationReceipt>>();
    // Of its codes the verifier knows only that they are text.
    expectTypeOf<SignedRecord>().toExtend<RecoveryRecordFile>();
  });
});
