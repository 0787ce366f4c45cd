/**
 * Recorded histories, the memory of the replay gate: append-only files under test/replay/histories. `npm run record-histories` runs the tests
 * that end a workflow with recording switched on; a file that exists is never written again.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { env } from 'node:process';
import type { Connection } from '@temporalio/client';
import { temporal } from '@temporalio/proto';

const FOLDER = new URL('../../replay/histories/', import.meta.url);
const History = temporal.api.history.v1.History;
const FLAG = 'LATCHKEY_RECORD_HISTORIES';

export interface RecordedHistory {
  readonly file: string;
  /** The exported name of the workflow. */
  readonly workflow: string;
  readonly workflowId: string;
  /** Bound into every payload. */
  readonly namespace: string;
  readonly history: temporal.api.history.v1.History;
}

/** Does nothing unless recording is switched on and there is no such file yet. `name` is `<workflow>.<what happened>`. */
export async function recordHistory(
  connection: Connection,
  { name, namespace, workflowId }: { name: string; namespace: string; workflowId: string },
): Promise<void> {
  const file = new URL(`${name}.json`, FOLDER);
  if (env[FLAG] !== '1' || existsSync(file)) return;
  const { history } = await connection.workflowService.getWorkflowExecutionHistory({
    namespace,
    execution: { workflowId },
  });
  if (history === null || history === undefined) throw new Error(`no history of ${workflowId}`);
  const content = { workflowId, namespace, history: toJson(history) };
  writeFileSync(file, `${JSON.stringify(content, null, 1)}\n`);
}

/** The SDK's own historyToJSON fails here: it meets two copies of protobufjs. */
function toJson(history: temporal.api.history.v1.IHistory): Record<string, unknown> {
  const message = History.fromObject(history);
  return History.toObject(message, { longs: String, bytes: String, enums: String });
}

export function readHistories(): RecordedHistory[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.json'))
    .toSorted()
    .map((file) => {
      // Written by recordHistory above.
      const content = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as {
        workflowId: string;
        namespace: string;
        history: Record<string, unknown>;
      };
      return {
        ...content,
        file,
        workflow: file.split('.')[0] ?? '',
        history: History.fromObject(content.history),
      };
    });
}
