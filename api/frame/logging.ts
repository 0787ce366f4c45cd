/**
 * The log of API and worker: JSON lines of codes and ids. Whatever slips in is cut at the paths where secrets and personal data travel; addresses are
 * never logged, because strangers write them.
 */
import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';

const SECRET_MEMBERS: ReadonlySet<string> = new Set([
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
]);
/** Of a request: what is no secret elsewhere, a code of ours, is one there. */
const CARRIERS: ReadonlySet<string> = new Set(['headers', 'body']);
const CENSORED = '[cut]';
/** Lines are flat; deeper than this nothing of ours goes. */
const MAX_DEPTH = 4;

/**
 * A write for each line costs a request more than its proof, and each wakes a thread: these go together, for a tenth of a second at most, and what is
 * left when the process ends is written then.
 */
const BUFFER_BYTES = 15_360;
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
      // Not pino's redaction: with places anywhere in a line it copies and walks every line, a tenth of what a request costs.
      formatters: { log: (line) => cutSecrets(line, { isCarried: false, depth: 1 }) },
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

/** The same object when nothing is cut, which is the rule; else a copy. */
function cutSecrets(line: Record<string, unknown>, place: Place): Record<string, unknown> {
  let kept = line;
  for (const [name, value] of Object.entries(line)) {
    const cut = cutMember(name, value, place);
    if (cut !== value) kept = { ...kept, [name]: cut };
  }
  return kept;
}

interface Place {
  readonly depth: number;
  /** Within what a request carried. */
  readonly isCarried: boolean;
}

function cutMember(name: string, value: unknown, { depth, isCarried }: Place): unknown {
  if (SECRET_MEMBERS.has(name) && (isCarried || name !== 'code')) return CENSORED;
  if (!isPlainObject(value)) return value;
  if (depth === MAX_DEPTH) return CENSORED;
  return cutSecrets(value, { depth: depth + 1, isCarried: isCarried || CARRIERS.has(name) });
}

/** Errors have a serializer of their own, and what a library made is not ours to walk. */
function isPlainObject(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
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
