/** Reads the arrows of a Mermaid state diagram in docs/flows/, so that a test can hold the drawing against the code. */
import { readFileSync } from 'node:fs';

export interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly event: string;
}

/** Arrows between states; those from or to `[*]` are left out. Several events on one arrow are separated by ` / `. */
export function readFlowDiagram(name: string): Arrow[] {
  const text = readFileSync(
    new URL(`../../../docs/flows/${name}.mermaid`, import.meta.url),
    'utf8',
  );
  const arrows: Arrow[] = [];
  for (const line of text.split('\n')) {
    const match = /^\s*(\w+)\s*-->\s*(\w+)\s*:\s*(.+?)\s*$/.exec(line);
    if (match === null) continue;
    const [, from = '', to = '', events = ''] = match;
    for (const event of events.split(' / ')) arrows.push({ from, to, event });
  }
  return arrows;
}
