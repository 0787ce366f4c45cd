/** What the phone knows at one moment. Types and the first moment only. */
import type { Installation } from '../../sdk/enrollment.ts';
import type { LatchkeyProblem } from '../../sdk/problem.ts';
import type { EnrollmentView, LoginHistory } from '../../sdk/types.ts';
import { emptyHome } from './home-data.ts';
import type { BankAnswer, Home } from './home-data.ts';
import type { Waiting } from './waiting.ts';

export type Screen =
  | { readonly kind: 'booting' | 'welcome' | 'number' | 'logged-out' | 'home' | 'cut-off' | 'hold' }
  | { readonly kind: 'enrollment'; readonly view: EnrollmentView };

/** What of the logged-in phone is looked at. */
export type HomeView = 'overview' | 'sessions' | 'history';

export type Notice = 'passkey_cancelled' | 'code_resent' | 'went_on' | 'sessions_ended';

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
};
