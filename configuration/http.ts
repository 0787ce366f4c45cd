/**
 * Where the API listens and what customers call it, from the environment. The public address is never taken from a request: issuers, links
 * and what DPoP proofs are made for are built on it.
 */
import { isIP } from 'node:net';
import { isPort, readUrl } from './environment.ts';
import type { EnvironmentReader } from './environment.ts';

export interface HttpConfiguration {
  readonly host: string;
  readonly port: number;
  /** An origin without a trailing slash; issuers and links are built on it. */
  readonly publicUrl: string;
  readonly tenantAtRoot?: string;
  readonly trustedProxies: readonly string[];
  /** A header, lower case, in which a trusted proxy says coarsely where a request comes from. */
  readonly placeHeader?: string;
}

export const DEFAULT_PORT = 4600;

const slug = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

const isProxyRange = (text: string): boolean => {
  const [address = '', prefix, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return (
    prefix === undefined ||
    (/^[0-9]{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128))
  );
};

const readPublicUrl = (reader: EnvironmentReader): string => {
  const value = reader.optional('LATCHKEY_PUBLIC_URL') ?? 'http://localhost:4600';
  const url = readUrl(value);
  const isOrigin =
    url !== undefined &&
    ['http:', 'https:'].includes(url.protocol) &&
    [url.origin, `${url.origin}/`].includes(value);
  if (!isOrigin) {
    reader.refuse(
      'LATCHKEY_PUBLIC_URL',
      'is not an origin',
      'use https://host, without path, query or credentials',
    );
    return '';
  }
  if (reader.isProduction && url.protocol !== 'https:') {
    reader.refuse(
      'LATCHKEY_PUBLIC_URL',
      'is not https',
      'set the https:// origin that customers see',
    );
  }
  return url.origin;
};

export const readHttp = (reader: EnvironmentReader): HttpConfiguration => {
  const host = reader.shaped(
    'LATCHKEY_HOST',
    (value) => isIP(value) !== 0 || slug.test(value),
    'use an IP address or localhost',
  );
  const port = reader.shaped('LATCHKEY_PORT', isPort, 'use a number from 1 to 65535');
  const publicUrl = readPublicUrl(reader);
  const tenantAtRoot = reader.shaped(
    'LATCHKEY_TENANT_AT_ROOT',
    (value) => slug.test(value),
    "use the tenant's slug",
  );
  const proxies = reader.shaped(
    'LATCHKEY_TRUSTED_PROXIES',
    (value) => value.split(',').every((range) => isProxyRange(range.trim())),
    'use IP addresses or CIDR ranges, separated by commas',
  );
  const placeHeader = reader.shaped(
    'LATCHKEY_PLACE_HEADER',
    (value) => /^x-[a-z0-9-]{1,60}$/.test(value) && proxies !== undefined,
    'name a header such as x-client-place, in lower case, that the proxies of LATCHKEY_TRUSTED_PROXIES set',
  );
  return {
    host: host ?? '127.0.0.1',
    port: Number(port ?? DEFAULT_PORT),
    publicUrl,
    ...(tenantAtRoot === undefined ? {} : { tenantAtRoot }),
    ...(placeHeader === undefined ? {} : { placeHeader }),
    trustedProxies: proxies?.split(',').map((range) => range.trim()) ?? [],
  };
};
