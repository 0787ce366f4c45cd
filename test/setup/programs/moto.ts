/**
 * A server on loopback that speaks AWS's protocols (moto, from PyPI), for tests that drive the real SDK. It forgets everything when it stops,
 * and believes any credentials.
 */
import { startProcess } from '../../../runtime/managed-process.ts';
import { findFreePort, isPortTaken } from '../../../runtime/ports.ts';
import { waitUntilReady } from '../../../runtime/readiness.ts';
import { pythonTool } from './python-tool.ts';

const START_TIMEOUT_MS = 60_000;
export const MOTO_REGION = 'eu-central-1';
/** For the SDK's clients, which send nothing without any. */
export const MOTO_CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' } as const;

export interface Moto {
  readonly url: string;
  stop(): Promise<void>;
}

export async function startMoto(): Promise<Moto> {
  const command = await pythonTool({
    package: 'moto[server]',
    version: '5.2.5',
    executable: 'moto_server',
  });
  const port = await findFreePort();
  const server = await startProcess({
    name: 'moto',
    command,
    args: ['-H', '127.0.0.1', '-p', String(port)],
    stopGraceMs: 3_000,
    onLine: () => undefined,
  });
  try {
    await waitUntilReady(() => isPortTaken(port), {
      what: 'moto',
      timeoutMs: START_TIMEOUT_MS,
      gaveUp: server.exited,
    });
  } catch (error) {
    await server.stop();
    throw error;
  }
  return { url: `http://127.0.0.1:${String(port)}`, stop: () => server.stop() };
}
