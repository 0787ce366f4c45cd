/**
 * The workflow code as one bundle, made once for all Workers of a process. Its hash is the build id: the same code is the same version,
 * wherever it was built.
 */
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import type { WorkflowBundle } from '@temporalio/worker';
import { FAILURE_CONVERTER_PATH } from './data-converter.ts';

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));
const WORKFLOWS_PATH = fileURLToPath(new URL('../workflows/index.ts', import.meta.url));
const TRACE_INTERCEPTORS_PATH = fileURLToPath(
  new URL('../workflows/trace-interceptors.ts', import.meta.url),
);
const BUILD_ID_LENGTH = 16;

export interface BuiltWorkflows {
  readonly bundle: WorkflowBundle;
  readonly buildId: string;
}

/** `workflowsPath` differs only in tests, which bundle workflows of their own. */
export async function buildWorkflows(workflowsPath = WORKFLOWS_PATH): Promise<BuiltWorkflows> {
  const { code } = await bundleWorkflowCode({
    workflowsPath,
    failureConverterPath: FAILURE_CONVERTER_PATH,
    // Whether a worker traces or not: the build id must not tell them apart.
    workflowInterceptorModules: [TRACE_INTERCEPTORS_PATH],
    logger: quietLogger,
  });
  return { bundle: { code }, buildId: buildIdOf(code) };
}

function buildIdOf(code: string): string {
  // The inline source map and module paths carry the folder that the code was built in.
  const portable = code.replace(/\/\/# sourceMappingURL=.*$/gm, '').replaceAll(REPOSITORY, '');
  return createHash('sha256').update(portable).digest('hex').slice(0, BUILD_ID_LENGTH);
}

/** A failed bundle throws with its reasons; the rest is noise. */
const silent = () => undefined;
const quietLogger = {
  log: silent,
  trace: silent,
  debug: silent,
  info: silent,
  warn: silent,
  error: silent,
};
