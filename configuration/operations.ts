/**
 * Where staff come in, from the environment: a listener and an origin of its own. In production it must never share a host name with the
 * public door: cookies know no ports, and the staff's would travel to it.
 */
import { isIP } from 'node:net';
import { isPort, readUrl } from './environment.ts';
import type { EnvironmentReader } from './environment.ts';

export interface OperationsConfiguration {
  readonly host: string;
  readonly port: number;
  /** The origin that staff see, without a trailing slash. */
  readonly url: string;
}

const URL_VARIABLE = 'LATCHKEY_OPERATIONS_URL';

/** undefined when no port is given: then the process has one door. */
export const readOperations = (
  reader: EnvironmentReader,
  publicUrl: string,
): OperationsConfiguration | undefined => {
  const port = reader.shaped(
    'LATCHKEY_OPERATIONS_PORT',
    isPort,
    'use a number from 1 to 65535, or leave it out for no operations door',
  );
  const host = reader.shaped(
    'LATCHKEY_OPERATIONS_HOST',
    (value) => isIP(value) !== 0 || value === 'localhost',
    'use an IP address or localhost',
  );
  const value = reader.optional(URL_VARIABLE);
  if (port === undefined) return undefined;
  const url = originOf(value ?? `http://localhost:${port}`);
  if (url === undefined)
    reader.refuse(
      URL_VARIABLE,
      'is not an origin',
      'use https://host, without path, query or credentials',
    );
  else if (reader.isProduction) refuseUnsafe(reader, url, publicUrl);
  return { host: host ?? '127.0.0.1', port: Number(port), url: url?.origin ?? '' };
};

const originOf = (value: string): URL | undefined => {
  const url = readUrl(value);
  const isOrigin =
    url !== undefined &&
    ['http:', 'https:'].includes(url.protocol) &&
    [url.origin, `${url.origin}/`].includes(value);
  return isOrigin ? url : undefined;
};

const refuseUnsafe = (reader: EnvironmentReader, url: URL, publicUrl: string): void => {
  if (url.protocol !== 'https:')
    reader.refuse(URL_VARIABLE, 'is not https', 'set the https:// origin that staff see');
  else if (url.hostname === readUrl(publicUrl)?.hostname)
    reader.refuse(
      URL_VARIABLE,
      'has the host of LATCHKEY_PUBLIC_URL',
      'use another host name: cookies know no ports',
    );
};
