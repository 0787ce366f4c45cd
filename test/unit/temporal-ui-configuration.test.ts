/** Temporal's web UI behind the operations door: where it is, and the one tenant whose staff may look. */
import { describe, expect, it } from 'vitest';
import { EnvironmentReader } from '../../configuration/environment.ts';
import type { StaffConfiguration } from '../../configuration/staff.ts';
import { readTemporalUi } from '../../configuration/temporal-ui.ts';

const directory: StaffConfiguration = {
  issuer: 'https://sso.bank.example',
  clientId: 'latchkey',
  clientSecret: 'x7'.repeat(16),
  rolesClaim: 'roles',
  employeeClaim: 'employee_id',
  roles: { agent: [], supervisor: [], auditor: ['audit'], administrator: [] },
};
const UPSTREAM = 'http://temporal-ui:8080';

function read(env: Record<string, string>, tenants: readonly string[]) {
  const reader = new EnvironmentReader({ LATCHKEY_MODE: 'production', ...env }, () => '');
  const staff = Object.fromEntries(tenants.map((slug) => [slug, directory]));
  return { found: readTemporalUi(reader, staff, 'bank'), problems: reader.problems };
}

describe("Temporal's web UI behind the door", () => {
  it('is for the one tenant that has staff', () => {
    expect(read({ LATCHKEY_TEMPORAL_UI_UPSTREAM: `${UPSTREAM}/` }, ['north'])).toEqual({
      found: { upstream: UPSTREAM, tenant: 'north', namespace: 'bank' },
      problems: [],
    });
  });

  it('is not there without an upstream, nor where nobody could log in', () => {
    expect(read({}, ['north'])).toEqual({ found: undefined, problems: [] });
    const env = { LATCHKEY_TEMPORAL_UI_UPSTREAM: UPSTREAM };
    expect(read(env, [])).toEqual({ found: undefined, problems: [] });
  });

  it('never guesses which of two tenants may see the workflows of both', () => {
    const env = { LATCHKEY_TEMPORAL_UI_UPSTREAM: UPSTREAM };
    expect(read(env, ['north', 'south']).problems).toEqual([
      "LATCHKEY_TEMPORAL_UI_TENANT: is missing; name the tenant whose staff may look: Temporal's web UI shows all tenants' workflows",
    ]);
    const named = { ...env, LATCHKEY_TEMPORAL_UI_TENANT: 'south' };
    expect(read(named, ['north', 'south']).found?.tenant).toBe('south');
  });

  it('takes no tenant whose staff cannot log in', () => {
    const env = { LATCHKEY_TEMPORAL_UI_UPSTREAM: UPSTREAM, LATCHKEY_TEMPORAL_UI_TENANT: 'west' };
    expect(read(env, ['north']).problems).toEqual([
      'LATCHKEY_TEMPORAL_UI_TENANT: has no entry in LATCHKEY_STAFF; name a tenant whose staff can log in',
    ]);
  });

  it.each(['temporal-ui:8080', 'http://temporal-ui:8080/temporal', 'ftp://temporal-ui'])(
    'refuses the upstream %s',
    (upstream) => {
      expect(read({ LATCHKEY_TEMPORAL_UI_UPSTREAM: upstream }, ['north']).problems).toHaveLength(1);
    },
  );
});
