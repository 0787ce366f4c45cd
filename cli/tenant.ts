/**
 * `latchkey tenant apply FILE`: makes the tenant of a JSON file with its clients, or brings them to what the file says. Run as the owner of
 * the database, by whoever runs the bank's deployment; it never touches a policy that is there.
 */
import { readFile } from 'node:fs/promises';
import { openKeyring } from '../adapters/kms/keyring.ts';
import { loadPart } from '../configuration/configuration.ts';
import { readMasterKeyring } from '../configuration/keyring.ts';
import { readOwnerUrl } from '../configuration/database.ts';
import { applyTenant } from '../db/tenant-setup.ts';
import type { Seal } from '../db/tenant-setup.ts';
import { readTenantFile } from './tenant-file.ts';
import { say, UsageError } from './terminal.ts';

export async function tenant(args: readonly string[]): Promise<number> {
  const [verb, file] = args;
  if (verb !== 'apply' || file === undefined || args.length !== 2) {
    throw new UsageError('tenant knows one thing: tenant apply FILE');
  }
  const ownerUrl = loadPart(process.env, readOwnerUrl);
  const document = readTenantFile(await readFile(file, 'utf8'));
  const hasCallback = document.clients.some(
    (client) => client.kind === 'machine' && client.callback !== undefined,
  );
  const sealing = hasCallback ? { seal: await openSeal() } : {};
  const { tenantId } = await applyTenant(ownerUrl, document, sealing);
  say(`Tenant ${document.slug} is ${tenantId}, with ${document.clients.length} clients.`);
  return 0;
}

/** The keys are asked for only where something is sealed with them. */
async function openSeal(): Promise<Seal> {
  const { kms } = await openKeyring(loadPart(process.env, readMasterKeyring));
  return (plain, context) => kms.wrap(plain, context);
}
