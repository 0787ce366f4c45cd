/**
 * Failure messages and stack traces travel as encrypted payloads, never in clear in a history. Loaded by path, into the workflow bundle
 * too: it must import nothing but Temporal's own common package.
 */
import { DefaultFailureConverter } from '@temporalio/common';

export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
