/** Every word of the operations page. */
import type { Role } from './door.ts';

interface RoleText {
  readonly name: string;
  readonly may: string;
}

const roles: Readonly<Record<Role, RoleText>> = {
  agent: {
    name: 'Agent',
    may: 'Finds a customer, ends a session, asks for the release of a hold.',
  },
  supervisor: {
    name: 'Supervisor',
    may: 'Does that too, and approves or declines what somebody else asked for.',
  },
  auditor: {
    name: 'Auditor',
    may: 'Reads holds, dead letters and every workflow, decoded. Changes nothing.',
  },
  administrator: {
    name: 'Administrator',
    may: 'Reads every workflow, decoded, and retries dead letters.',
  },
};

export const texts = {
  title: 'Latchkey',
  subtitle: 'operations',
  loading: 'Looking who you are',
  roles,
  you: 'You',
  yours: 'yours',
  notYours: 'not yours',
  rolesTitle: 'What each role may do',
  employee: 'Employee',
  since: 'Logged in',
  logOut: 'Log out',
  runbook: 'Runbook',
  refresh: 'Refresh',
  asOf: 'as of',
  welcome: {
    title: 'Operations',
    text: 'For staff of the bank. What you may see and do follows from your role there.',
    logIn: 'Log in',
    loggedOut: 'You have logged out. Nothing of your session is left in this browser.',
    lost: 'Your session has ended. Log in again to go on.',
    nobody: 'No staff can log in here yet: LATCHKEY_STAFF names nobody’s directory.',
  },
  silent: {
    title: 'The door does not answer',
    text: 'Logins and payments of customers may well go on. Try again in a moment.',
  },
  logOutFailed: 'That did not work: you are still logged in. Try again.',
  workflows: {
    title: 'What runs, and what it waits for',
    text: 'Temporal’s own web interface, with its contents decoded for you. For reading: that you looked is written down.',
    open: 'Open Temporal',
    forbidden: 'For auditors and administrators.',
    absent: 'No web interface of Temporal stands behind this door.',
  },
  holds: {
    title: 'Customers on hold',
    text: 'Frozen by the fraud engine. A release needs two people.',
    empty: 'Nobody is on hold.',
    forbidden: 'For agents, supervisors and auditors.',
    columns: ['Customer', 'Reason', 'Placed by', 'Since', 'Release'] as const,
    waiting: 'waits for a second person',
    notAsked: 'not asked for',
    act: 'latchkey holds list',
  },
  deadLetters: {
    title: 'Dead letters',
    text: 'Deliveries that were given up. What they tell has happened all the same.',
    empty: 'Everything was delivered.',
    forbidden: 'For auditors and administrators.',
    columns: ['What', 'About', 'Error', 'Attempts', 'Since'] as const,
    noError: 'none noted',
    act: 'latchkey dead-letters list',
  },
  listSilent: 'This list does not answer at the moment.',
  toAct: 'To act:',
};
