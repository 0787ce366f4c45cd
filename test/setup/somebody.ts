/** A person for tests, and numbers that nobody has. */
import { randomBytes } from 'node:crypto';

/** Names too long to stand by chance in what is encrypted or random: canaries are looked for in it. */
export const SOMEBODY = {
  givenName: 'Adamandia',
  familyName: 'Lovelace',
  birthDate: '1985-12-10',
};

export function randomPhone(): string {
  return `+44772${String(randomBytes(4).readUInt32BE() % 10_000_000).padStart(7, '0')}`;
}
