/**
 * Every type of the catalogue and which test makes the house emit it, and the judgement of what was emitted: by the schema that the repository
 * keeps for its version, and closed against members that the catalogue does not know.
 */
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ValidateFunction } from 'ajv/dist/2020.js';
import { schemaFile } from '../../domain/event-schema.ts';
import type { EventType } from '../../domain/events.ts';

/** A type without a row does not compile. */
const EMITTED_IN = {
  'bank.app.session_created': 'test/api/events.test.ts',
  'bank.app.session_revoked': 'test/api/events.test.ts',
  'bank.app.device_suspended': 'test/api/events.test.ts',
  'bank.app.device_resumed': 'test/api/events.test.ts',
  'bank.app.device_revoked': 'test/api/events.test.ts',
  'bank.app.device_restricted': 'test/contract/database/device-reports.test.ts',
  'bank.app.report_lifted': 'test/contract/database/device-reports.test.ts',
  'bank.app.customer_frozen': 'test/contract/database/freeze.test.ts',
  'bank.app.freeze_lifted': 'test/contract/database/freeze.test.ts',
  'bank.app.credential_revoked': 'test/api/events.test.ts',
  'bank.app.refresh_reused': 'test/api/events.test.ts',
  'bank.app.refresh_superseded': 'test/api/events.test.ts',
  'bank.app.customer_cut_off': 'test/api/events.test.ts',
  'bank.app.hold_released': 'test/api/events.test.ts',
  'bank.app.customer_enrolled': 'test/workflows/events.test.ts',
  'bank.app.enrollment_ended': 'test/workflows/events.test.ts',
  'bank.app.step_up_requested': 'test/contract/database/step-up-ends.test.ts',
  'bank.app.step_up_approved': 'test/contract/database/step-up-ends.test.ts',
  'bank.app.step_up_denied': 'test/contract/database/step-up-ends.test.ts',
  'bank.app.step_up_consumed': 'test/contract/database/step-up-ends.test.ts',
  'bank.app.step_up_ended': 'test/contract/database/step-up-ends.test.ts',
  'bank.app.recovery_opened': 'test/contract/database/recoveries.test.ts',
  'bank.app.recovery_escalated': 'test/contract/database/recoveries.test.ts',
  'bank.app.recovery_ended': 'test/contract/database/recoveries.test.ts',
  'bank.app.customer_recovered': 'test/contract/database/recoveries.test.ts',
} as const satisfies Record<EventType, string>;

/** The types that a test file must see emitted, in order of their names. */
export const typesOf = (testFile: (typeof EMITTED_IN)[EventType]): readonly string[] =>
  Object.entries(EMITTED_IN)
    .filter(([, file]) => file === testFile)
    .map(([type]) => type)
    .toSorted((one, other) => one.localeCompare(other));

export interface EmittedEvent {
  readonly type: string;
  readonly version: number;
  readonly data: unknown;
}

/** What is wrong with it; nothing is the aim. */
export function faultsOf({ type, version, data }: EmittedEvent): readonly string[] {
  const validate = validatorOf(schemaFile(type, version));
  validate(data);
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) =>
      `${type} ${instancePath} ${message ?? ''} ${JSON.stringify(params)}`,
  );
}

/** Their types, each once, in order of their names. */
export const typesSeen = (events: readonly EmittedEvent[]): readonly string[] =>
  [...new Set(events.map(({ type }) => type))].toSorted((one, other) => one.localeCompare(other));

const ajv = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true });
const validators = new Map<string, ValidateFunction>();

function validatorOf(file: string): ValidateFunction {
  const known = validators.get(file);
  if (known !== undefined) return known;
  const text = readFileSync(new URL(`../../docs/events/${file}`, import.meta.url), 'utf8');
  const validate = ajv.compile({ ...(JSON.parse(text) as object), additionalProperties: false });
  validators.set(file, validate);
  return validate;
}
