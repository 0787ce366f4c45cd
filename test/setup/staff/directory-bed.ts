/** An API whose staff log in at a real OpenID provider, the demo's, for two tenants, and a browser's way through it. */
import { startStaffDirectory } from '../../../runtime/staff-directory.ts';
import type { StaffDirectory } from '../../../runtime/staff-directory.ts';
import { DEMO_PEOPLE } from '../../../runtime/staff-people.ts';
import { startTestApi } from '../api.ts';
import type { TestApi } from '../api.ts';
import { TEST_OPERATIONS_URL } from '../demo-tenant.ts';
import type { StaffBrowser } from './staff-browser.ts';
import { logInAtDirectory } from './staff-login.ts';

export const LOGIN = '/t/demo/staff/login';

const ROLES = {
  agent: ['bank-agent'],
  supervisor: ['bank-supervisor'],
  auditor: ['bank-auditor'],
  administrator: ['bank-administrator'],
};

type Opened = ReturnType<StaffBrowser['open']>;

interface AuditRow {
  readonly actorKind: string;
  readonly actorId: string;
  readonly subjectId: string;
  readonly detail: object;
}

export class DirectoryBed {
  readonly api: TestApi;
  readonly directory: StaffDirectory;
  readonly otherTenantId: string;
  /** What the directory says of Mia changes between two logins. */
  readonly mia: { roles: string[] };

  private constructor(parts: Pick<DirectoryBed, 'api' | 'directory' | 'otherTenantId' | 'mia'>) {
    this.api = parts.api;
    this.directory = parts.directory;
    this.otherTenantId = parts.otherTenantId;
    this.mia = parts.mia;
  }

  static async open(): Promise<DirectoryBed> {
    const mia = {
      ...DEMO_PEOPLE.ana,
      id: 'mia',
      name: 'Mia',
      employeeId: 'E-77',
      roles: ['bank-agent'],
    };
    const redirectUris = ['demo', 'other'].map(
      (slug) => `${TEST_OPERATIONS_URL}/t/${slug}/staff/callback`,
    );
    const directory = await startStaffDirectory({
      port: 0,
      redirectUris,
      people: [...Object.values(DEMO_PEOPLE), mia],
      environment: {},
      onError: (error) => {
        throw error;
      },
    });
    const { issuer, clientId, clientSecret } = directory;
    const entry = {
      issuer,
      clientId,
      clientSecret,
      rolesClaim: 'roles',
      employeeClaim: 'employee_id',
    };
    const staff = { demo: { ...entry, roles: ROLES }, other: { ...entry, roles: ROLES } };
    const api = await startTestApi({ configuration: { staff } });
    return new DirectoryBed({ api, directory, mia, otherTenantId: await api.addTenant('other') });
  }

  async close(): Promise<void> {
    await this.api.close();
    await this.directory.stop();
  }

  /** To the provider and back, not yet through the callback. */
  async goThere(browser: StaffBrowser, person: string, query = ''): Promise<string> {
    const there = await browser.open(`${LOGIN}${query}`);
    if (there.status !== 302) throw new Error(`${String(there.status)} instead of a redirect`);
    return await logInAtDirectory(locationOf(there), person);
  }

  async logIn(browser: StaffBrowser, person: string, query = ''): Opened {
    return await browser.open(await this.goThere(browser, person, query));
  }

  async auditOf(action: string): Promise<readonly AuditRow[]> {
    return await this.api.inTenant(
      (tx) => tx<AuditRow[]>`
        select actor_kind, actor_id, subject_id, detail from audit where action = ${action} order by position`,
    );
  }
}

export function locationOf({ headers }: { headers: Readonly<Record<string, unknown>> }): string {
  return String(headers['location']);
}

export async function meOf(browser: StaffBrowser): Opened {
  return await browser.open('/t/demo/staff/me');
}
