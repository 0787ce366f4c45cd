import { expect, it } from 'vitest';
import { isPrivateAddress } from '../../adapters/guarded-post.ts';

it.each([
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '127.0.0.1',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '198.18.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:8.8.8.8',
  '64:ff9b::a00:1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'ff02::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
])('%s is inside the house', (address) => {
  expect(isPrivateAddress(address)).toBe(true);
});

it.each(['1.1.1.1', '8.8.8.8', '100.63.255.255', '100.128.0.0', '172.15.255.255', '172.32.0.0'])(
  '%s is outside',
  (address) => {
    expect(isPrivateAddress(address)).toBe(false);
  },
);

it.each(['2001:4860:4860::8888', '2606:4700:4700::1111', '2a00:1450::1'])(
  '%s is outside too',
  (address) => {
    expect(isPrivateAddress(address)).toBe(false);
  },
);
