/** A person for tests, and numbers that nobody has. */
import { randomBytes } from 'node:crypto';

export const SOMEBODY = {
  givenName: 'Ada',
  familyName: 'Lovelace',
  birthDate: '1985-12-10',
};

export function randomPhone(): string {
  return `+44772${String(randomBytes(4).readUInt32BE() % 10_000_000).padStart(7, '0')}`;
}
