/**
 * A workflow's history as one searchable text, every byte field as it is. JSON would not do: it turns bytes into base64, in which no search
 * finds a leak.
 */
import type { Connection } from '@temporalio/client';

export async function historyText(
  connection: Connection,
  { namespace, workflowId }: { readonly namespace: string; readonly workflowId: string },
): Promise<string> {
  const { history } = await connection.workflowService.getWorkflowExecutionHistory({
    namespace,
    execution: { workflowId },
  });
  const parts: string[] = [];
  collect(history, parts);
  return parts.join('\n');
}

function collect(value: unknown, parts: string[]): void {
  if (typeof value === 'string') parts.push(value);
  else if (value instanceof Uint8Array) parts.push(Buffer.from(value).toString('utf8'));
  else if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) collect(member, parts);
  }
}
