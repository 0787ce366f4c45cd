/**
 * The log of API and worker: JSON lines of codes and ids. Whatever slips in is cut at the paths where secrets and personal data travel; addresses are
 * never logged, because strangers write them.
 */
import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';

const SECRET_MEMBERS = [
  'authorization',
  'dpop',
  'cookie',
  'token',
  'access_token',
  'refresh_token',
  'id_token',
  'client_assertion',
  'code',
  'otp',
  'phone',
  'email',
  'givenName',
  'familyName',
  'birthDate',
  'documentNumber',
];

/** A write for each line costs a request more than its proof; these go together, and what is left when the process ends is written then. */
const BUFFER_BYTES = 4_096;
const FLUSH_MS = 100;

export function createLogger(options: {
  readonly level: string;
  readonly instance: string;
  readonly destination?: DestinationStream;
}): Logger {
  const { level, instance, destination } = options;
  return pino(
    {
      level,
      base: { instance },
      redact: {
        paths: SECRET_MEMBERS.flatMap((name) => [
          ...(name === 'code' ? [] : [name]),
          `headers.${name}`,
          `body.${name}`,
          `*.headers.${name}`,
          `*.body.${name}`,
        ]),
        censor: '[cut]',
      },
      serializers: {
        // Name, code and stack; never what an error carries along (a driver's parameters, a request).
        err: (error: unknown) => describeError(error),
        req: () => undefined,
        res: () => undefined,
      },
    },
    destination ??
      pino.destination({ fd: 1, sync: false, minLength: BUFFER_BYTES, periodicFlush: FLUSH_MS }),
  );
}

function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error };
  const code = 'code' in error ? error.code : undefined;
  return {
    type: error.name,
    ...(typeof code === 'string' ? { code } : {}),
    // The first line of a stack is the message, which may quote what was sent.
    stack: error.stack
      ?.split('\n')
      .filter((line) => line.trimStart().startsWith('at '))
      .join('\n'),
    ...(error.cause instanceof Error ? { cause: describeError(error.cause) } : {}),
  };
}
