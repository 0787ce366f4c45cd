/** What is sent and told when a device is reported lost or stolen, and when the report is lifted. */
import { Type, type Static } from 'typebox';
import { DEVICE_REPORTS } from '../../domain/device-reports.ts';
import { idPattern } from '../../domain/ids.ts';
import { EndSessionBody } from './staff-customers.ts';

const closed = { additionalProperties: false } as const;
const kind = Type.Enum([...DEVICE_REPORTS], { description: '`lost` or `stolen`.' });

export const DeviceReportBody = Type.Object({ kind }, closed);

export const StaffDeviceReportBody = Type.Object(
  {
    kind,
    reason: EndSessionBody.properties.reason,
    callId: Type.Optional(
      Type.String({
        pattern: idPattern('ceremony'),
        description: 'The call in which the caller proved himself within the last hour.',
      }),
    ),
  },
  closed,
);

export const ReportedDeviceAnswer = Type.Object(
  { deviceId: Type.String(), status: Type.String({ description: 'What it is now.' }) },
  closed,
);
export type ReportedDeviceAnswer = Static<typeof ReportedDeviceAnswer>;
