/**
 * Temporal's own web UI, which stands behind the operations door, from the environment. It shows the whole namespace, every tenant's workflow ids
 * with it: the staff of one tenant alone may be let in, and which one must never be guessed.
 */
import { readUrl } from './environment.ts';
import type { EnvironmentReader } from './environment.ts';
import type { StaffConfiguration } from './staff.ts';

export interface TemporalUiConfiguration {
  /** Where the UI listens, an origin that only the door can reach. It serves below /temporal there, too. */
  readonly upstream: string;
  /** The slug of the tenant whose staff may look. */
  readonly tenant: string;
  readonly namespace: string;
}

const UPSTREAM = 'LATCHKEY_TEMPORAL_UI_UPSTREAM';
const TENANT = 'LATCHKEY_TEMPORAL_UI_TENANT';

/** undefined when no upstream is given: then the door has no UI behind it. */
export const readTemporalUi = (
  reader: EnvironmentReader,
  staff: Readonly<Record<string, StaffConfiguration>>,
  namespace: string,
): TemporalUiConfiguration | undefined => {
  const upstream = reader.shaped(
    UPSTREAM,
    (value) => isOrigin(value),
    "use the origin of Temporal's web UI as the API reaches it, without a path: it serves below /temporal",
  );
  const named = reader.optional(TENANT);
  if (upstream === undefined) return undefined;
  const slugs = Object.keys(staff);
  if (named !== undefined && !slugs.includes(named))
    reader.refuse(TENANT, 'has no entry in LATCHKEY_STAFF', 'name a tenant whose staff can log in');
  if (named === undefined && slugs.length > 1)
    reader.refuse(
      TENANT,
      'is missing',
      "name the tenant whose staff may look: Temporal's web UI shows all tenants' workflows",
    );
  const [only] = slugs;
  const tenant = named ?? only;
  // Without staff nobody could be let in.
  return tenant === undefined ? undefined : { upstream: trimmed(upstream), tenant, namespace };
};

const isOrigin = (value: string): boolean => {
  const url = readUrl(value);
  return (
    url !== undefined && ['http:', 'https:'].includes(url.protocol) && trimmed(value) === url.origin
  );
};

const trimmed = (value: string): string => value.replace(/\/$/, '');
