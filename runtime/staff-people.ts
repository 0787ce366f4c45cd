/**
 * The people of the demo bank, one for each role that staff can have and a second agent, because nobody approves what they prepared; and what the directory calls those roles. Published and
 * without passwords: whoever can open the demo's login page is any of them. They must never exist in a production directory.
 */

export interface DemoPerson {
  /** The subject in the directory's tokens. */
  readonly id: string;
  readonly name: string;
  /** Tells natural persons apart, whatever they log in as. */
  readonly employeeId: string;
  /** As the directory names them; the role map of the tenant translates. */
  readonly roles: readonly string[];
  /** What this person does, in the words of the login page. */
  readonly duty: string;
}

export type DemoPersonId = 'ana' | 'mere' | 'sione' | 'aida' | 'amir';

export const DEMO_PEOPLE: Readonly<Record<DemoPersonId, DemoPerson>> = {
  ana: {
    id: 'ana',
    name: 'Ana Agent',
    employeeId: 'E-1001',
    roles: ['bank-agent'],
    duty: 'Speaks with customers and asks for releases.',
  },
  mere: {
    id: 'mere',
    name: 'Mere Agent',
    employeeId: 'E-1005',
    roles: ['bank-agent'],
    duty: 'Looks at what a colleague has prepared.',
  },
  sione: {
    id: 'sione',
    name: 'Sione Supervisor',
    employeeId: 'E-1002',
    roles: ['bank-supervisor'],
    duty: 'Approves what an agent asked for.',
  },
  aida: {
    id: 'aida',
    name: 'Aida Auditor',
    employeeId: 'E-1003',
    roles: ['bank-auditor'],
    duty: 'Reads everything, changes nothing.',
  },
  amir: {
    id: 'amir',
    name: 'Amir Administrator',
    employeeId: 'E-1004',
    roles: ['bank-administrator'],
    duty: 'Runs the service and retries what is stuck.',
  },
};

/** The role map of the demo tenant, as LATCHKEY_STAFF wants it. */
export const DEMO_ROLE_MAP: Readonly<Record<string, readonly string[]>> = {
  agent: ['bank-agent'],
  supervisor: ['bank-supervisor'],
  auditor: ['bank-auditor'],
  administrator: ['bank-administrator'],
};
