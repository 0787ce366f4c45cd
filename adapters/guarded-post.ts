/**
 * A POST to an address that somebody configured and nobody here controls. It must never follow a redirect, wait without limit, keep what is
 * answered, or reach an address inside the house unless it was told that it may: names are judged by what they resolve to, as they are dialled.
 */
import { lookup } from 'node:dns';
import type { LookupAddress } from 'node:dns';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { BlockList, isIP } from 'node:net';
import type { LookupFunction } from 'node:net';

export interface GuardedPostOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly allowsPrivateAddresses: boolean;
  readonly timeoutMs: number;
}

export class PrivateAddressError extends Error {
  override readonly name = 'PrivateAddressError';
}

/** Special-purpose addresses, RFC 6890 and its registry: nothing of them is on the public Internet. */
const INNER_IPV4 = new BlockList();
for (const range of [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]) {
  const [network = '', prefix] = range.split('/');
  INNER_IPV4.addSubnet(network, Number(prefix));
}
/** Of IPv6 only global unicast is outside, without what tunnels to IPv4 or is for examples. */
const GLOBAL_IPV6 = new BlockList();
GLOBAL_IPV6.addSubnet('2000::', 3, 'ipv6');
const INNER_IPV6 = new BlockList();
INNER_IPV6.addSubnet('2001::', 23, 'ipv6');
INNER_IPV6.addSubnet('2001:db8::', 32, 'ipv6');
INNER_IPV6.addSubnet('2002::', 16, 'ipv6');
INNER_IPV6.addSubnet('3fff::', 20, 'ipv6');

export function isPrivateAddress(address: string): boolean {
  if (isIP(address) === 4) return INNER_IPV4.check(address);
  return !GLOBAL_IPV6.check(address, 'ipv6') || INNER_IPV6.check(address, 'ipv6');
}

const agents = {
  'http:': new HttpAgent({ keepAlive: true }),
  'https:': new HttpsAgent({ keepAlive: true }),
};

/** Answers the status. @throws Error when there was no answer, PrivateAddressError when it may not be asked. */
export function guardedPost(options: GuardedPostOptions): Promise<number> {
  const { url, headers, body, allowsPrivateAddresses, timeoutMs } = options;
  const target = new URL(url);
  const host = target.hostname.replace(/^\[|\]$/g, '');
  // An address is dialled without being looked up.
  if (!allowsPrivateAddresses && isIP(host) !== 0 && isPrivateAddress(host))
    return Promise.reject(new PrivateAddressError('the address is inside the house'));
  const isSecure = target.protocol === 'https:';
  const request = isSecure ? httpsRequest : httpRequest;
  const requestOptions: RequestOptions = {
    method: 'POST',
    agent: isSecure ? agents['https:'] : agents['http:'],
    headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
    signal: AbortSignal.timeout(timeoutMs),
    ...(allowsPrivateAddresses ? {} : { lookup: lookUpOutside }),
  };
  return new Promise((resolve, reject) => {
    const call = request(target, requestOptions, (response) => {
      discard(response);
      resolve(response.statusCode ?? 0);
    });
    call.once('error', reject);
    call.end(body);
  });
}

/** Reads it to its end, so that the connection can be used again; not more than it is worth. */
function discard(response: IncomingMessage): void {
  let bytes = 0;
  response.on('error', () => undefined);
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > 64 * 1024) response.destroy();
  });
}

/** As dns.lookup; a name that leads inside by any of its addresses is refused altogether. */
const lookUpOutside: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    if (error !== null) {
      callback(error, '', 0);
      return;
    }
    const [first] = addresses;
    if (first === undefined || addresses.some(({ address }) => isPrivateAddress(address))) {
      callback(new PrivateAddressError('the name leads inside the house'), '', 0);
      return;
    }
    if (options.all === true) callback(null, addresses);
    else callback(null, first.address, first.family);
  });
};
