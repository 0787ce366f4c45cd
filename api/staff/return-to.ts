/** Where a browser may be sent after a login: a path of the operations origin, or a loopback listener of a command line. Nowhere else. */

const MAX_LENGTH = 512;
/** RFC 8252 section 7.3: the addresses, not the name, which may be resolved elsewhere. */
const LOOPBACK = /^http:\/\/(?:127\.0\.0\.1|\[::1\]):[1-9][0-9]{0,4}(?:\/[A-Za-z0-9/_-]{0,64})?$/;
/** RFC 7636 section 4.2 with S256: 32 bytes. */
const CHALLENGE = /^[A-Za-z0-9_-]{43}$/;

/** The whole address, so that no browser reads `//host` out of a path; undefined for what leads elsewhere. */
export function returnAddress(operationsUrl: string, path: string): string | undefined {
  if (path.length > MAX_LENGTH || !/^\/[\x21-\x7e]*$/.test(path)) return undefined;
  if (!URL.canParse(path, operationsUrl)) return undefined;
  const url = new URL(path, operationsUrl);
  return url.origin === operationsUrl ? url.href : undefined;
}

export interface CommandLine {
  readonly redirectUri: string;
  readonly challenge: string;
}

/** undefined when either is not what a command line of ours sends. */
export function commandLineOf(redirectUri: string, challenge: string): CommandLine | undefined {
  const isLoopback = LOOPBACK.test(redirectUri) && URL.canParse(redirectUri);
  return isLoopback && CHALLENGE.test(challenge) ? { redirectUri, challenge } : undefined;
}
