/** What the phone knows at one moment. Types and the first moment only. */
import type { Installation } from '../../sdk/enrollment.ts';
import type { NeededProof } from '../../sdk/login-step-up.ts';
import type { LatchkeyProblem } from '../../sdk/problem.ts';
import type { RecoveryRequestView, RecoveryView } from '../../sdk/recovery-types.ts';
import type { Verification } from '../../sdk/receipt/types.ts';
import type {
  CustomerStepUp,
  EnrollmentView,
  LoginHistory,
  LoginStepUp,
  OpenedStepUp,
  StepUpContext,
} from '../../sdk/types.ts';
import { emptyHome } from './home-data.ts';
import type { BankAnswer, Home } from './home-data.ts';
import type { Waiting } from './waiting.ts';

export type Screen =
  | { readonly kind: 'booting' | 'welcome' | 'number' | 'logged-out' | 'home' | 'cut-off' | 'hold' }
  /** "I lost my phone", "freeze me", and a case that is another phone's. */
  | { readonly kind: 'recover-ask' | 'freeze-ask' | 'recover-elsewhere' }
  | { readonly kind: 'recover-request'; readonly request: RecoveryRequestView }
  | { readonly kind: 'recovery'; readonly view: RecoveryView }
  | { readonly kind: 'enrollment'; readonly view: EnrollmentView }
  | {
      readonly kind: 'login-proof';
      readonly proof: NeededProof;
      /** Once a step has answered. */
      readonly view: LoginStepUp | undefined;
    };

/** What of the logged-in phone is looked at. */
export type HomeView = 'overview' | 'sessions' | 'history' | 'pay';

/** The action that the customer is asked for, as it stands. */
export interface ShownStepUp {
  readonly view: CustomerStepUp;
  /** As it will be signed, while it can be. */
  readonly opened: OpenedStepUp | undefined;
}

export interface PaymentDraft {
  readonly amount: string;
  readonly currency: string;
  readonly payee: string;
  readonly account: string;
  readonly reference: string;
}

export interface ShownPayment {
  readonly order: PaymentDraft & { readonly paymentId: string };
  /** waiting: for the customer. approved: the bank has still to carry it out. */
  readonly status: 'sending' | 'waiting' | 'approved' | 'paid' | 'refused';
  readonly stepUpId?: string;
  readonly paidAt?: string;
  readonly acr?: string;
  readonly usableAt?: string;
  /** Why it was refused. */
  readonly reason?: string;
}

export type Notice =
  | 'passkey_cancelled'
  | 'code_resent'
  | 'went_on'
  | 'sessions_ended'
  | 'objected_ended'
  | 'objected_held'
  | 'objected_noted'
  | 'objected_stopped'
  | 'shortened'
  | 'shorten_refused';

export interface PhoneState {
  readonly screen: Screen;
  /** The name of the action under way. */
  readonly busy: string | undefined;
  /** The action under way waits for somebody or something, and goes on by itself. */
  readonly waiting: Waiting | undefined;
  readonly problem: LatchkeyProblem | undefined;
  readonly notice: Notice | undefined;
  /** Filled by a tap in the inbox. */
  readonly draftCode: string;
  readonly isChangingEmail: boolean;
  readonly home: Home;
  readonly homeView: HomeView;
  /** What has been read of it. */
  readonly history: LoginHistory | undefined;
  /** How many the last "log out" ended. */
  readonly endedSessions: number;
  readonly bank: BankAnswer | undefined;
  readonly installation: Installation | undefined;
  /** Fills the screen while it waits for an answer, and until its end was read. */
  readonly stepUp: ShownStepUp | undefined;
  /** Something else waits for an answer while another screen is up. */
  readonly isMoreAsked: boolean;
  /** What this phone notices around it; signed along. */
  readonly context: StepUpContext;
  readonly draft: PaymentDraft;
  readonly payment: ShownPayment | undefined;
  readonly receipt: ShownReceipt | undefined;
  /** For the people at the stage: contacts that a message has come to. */
  readonly examples: { readonly email?: string; readonly phone?: string };
  /** "Freeze me" from a phone that nobody knows. */
  readonly freezeAsked: { readonly requestId: string; readonly frozenUntil?: string } | undefined;
}

export interface ShownReceipt {
  readonly file: unknown;
  /** Once it was checked. */
  readonly verification?: Verification;
}

export const INITIAL: PhoneState = {
  screen: { kind: 'booting' },
  busy: undefined,
  waiting: undefined,
  problem: undefined,
  notice: undefined,
  draftCode: '',
  isChangingEmail: false,
  home: emptyHome,
  homeView: 'overview',
  history: undefined,
  endedSessions: 0,
  bank: undefined,
  installation: undefined,
  stepUp: undefined,
  isMoreAsked: false,
  context: { onCall: false, screenShared: false, accessibilityService: false },
  draft: {
    amount: '400.00',
    currency: 'NZD',
    payee: 'Mere Roofing Ltd',
    account: '99-0451-0098231-00',
    reference: 'Invoice 2217',
  },
  payment: undefined,
  receipt: undefined,
  examples: {},
  freezeAsked: undefined,
};
