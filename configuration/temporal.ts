/** Where Temporal is, from the environment. It must never let an API key out in the clear. */
import { isPort } from './environment.ts';
import type { EnvironmentReader } from './environment.ts';

export interface TemporalConfiguration {
  readonly address: string;
  readonly namespace: string;
  readonly apiKey?: string;
  readonly tls: boolean;
}

const hostAndPort = /^(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})$/;

export const readTemporal = (reader: EnvironmentReader): TemporalConfiguration => {
  const address = reader.required('TEMPORAL_ADDRESS', 'set host:port of the Temporal frontend');
  if (address !== undefined && !isPort(hostAndPort.exec(address)?.[1] ?? '')) {
    reader.refuse('TEMPORAL_ADDRESS', 'has the wrong form', 'use host:port, without a scheme');
  }
  const namespace = reader.shaped(
    'TEMPORAL_NAMESPACE',
    (value) => /^[A-Za-z0-9._-]{2,255}$/.test(value),
    'use letters, digits, dots and dashes',
  );
  const apiKey = reader.optional('TEMPORAL_API_KEY');
  const tls = reader.oneOf(
    'TEMPORAL_TLS',
    ['true', 'false'],
    apiKey === undefined ? 'false' : 'true',
  );
  if (apiKey !== undefined && tls === 'false') {
    reader.refuse(
      'TEMPORAL_TLS',
      'would send the API key in the clear',
      'set it to true or leave it out',
    );
  }
  return {
    address: address ?? '',
    namespace: namespace ?? 'latchkey',
    ...(apiKey === undefined ? {} : { apiKey }),
    tls: tls === 'true',
  };
};
