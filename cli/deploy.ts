/**
 * `latchkey deploy promote`: makes one build of the workers the current one. Nothing moves to a build before; an old replica that
 * restarts never takes the work back. Waits until the build's Workers poll, and gives up after a minute.
 */
import { parseArgs } from 'node:util';
import { loadPart, readBuildId } from '../configuration/configuration.ts';
import { readTemporal } from '../configuration/temporal.ts';
import { withTemporal } from '../temporal/connection.ts';
import { currentBuildId, promote } from '../temporal/deployment.ts';
import { buildWorkflows } from '../temporal/workflow-bundle.ts';
import { say, UsageError } from './terminal.ts';

const TIMEOUT_MS = 60_000;

export async function deploy(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { 'build-id': { type: 'string' } },
  });
  if (positionals.length !== 1 || positionals[0] !== 'promote') {
    throw new UsageError('deploy knows one thing: deploy promote [--build-id ID]');
  }
  const { temporal, configured } = loadPart(process.env, (reader) => ({
    temporal: readTemporal(reader),
    configured: readBuildId(reader),
  }));
  const buildId = values['build-id'] ?? configured ?? (await buildWorkflows()).buildId;
  const { namespace } = temporal;
  return await withTemporal(temporal, async (connection) => {
    const before = await currentBuildId(connection, namespace);
    if (before === buildId) {
      say(`Build ${buildId} is the current one already.`);
      return 0;
    }
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    try {
      await promote(connection, { namespace, buildId, identity: 'latchkey-deploy', signal });
    } catch (cause) {
      throw new Error(`build ${buildId} was not promoted: are its workers running?`, { cause });
    }
    say(
      `Build ${buildId} is the current one now${before === undefined ? '' : `, after ${before}`}.`,
    );
    return 0;
  });
}
