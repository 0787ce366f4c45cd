/** Reads the arrows of a Mermaid state diagram in docs/flows/, so that a test can hold the drawing against the code. */
import { readFileSync } from 'node:fs';

export interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly event: string;
}

/** Arrows between states; those from or to `[*]` are left out. Several events on one arrow are separated by ` / `. */
export function readFlowDiagram(name: string): Arrow[] {
  const arrows: Arrow[] = [];
  for (const line of linesOf(name)) {
    const match = /^\s*(\w+)\s*-->\s*(\w+)\s*:\s*(.+?)\s*$/.exec(line);
    if (match === null) continue;
    const [, from = '', to = '', events = ''] = match;
    for (const event of events.split(' / ')) arrows.push({ from, to, event });
  }
  return arrows;
}

/**
 * The arrows of a ceremony, one an event, in order: `from --> to: event (mark)`. Several events on one arrow are separated by a comma; the mark says
 * with which end, or for which kind of ceremony.
 */
export function readCeremonyArrows(name: string): readonly string[] {
  const drawn: string[] = [];
  for (const line of linesOf(name)) {
    const arrow = /^\s*(\w+) --> (\w+): ([\w, ]+?)( \(\w+\))?$/.exec(line);
    if (arrow === null) continue;
    const [, from = '', to = '', events = '', mark = ''] = arrow;
    for (const event of events.split(', ')) drawn.push(`${from} --> ${to}: ${event}${mark}`);
  }
  return drawn.sort();
}

function linesOf(name: string): readonly string[] {
  const file = new URL(`../../../docs/flows/${name}.mermaid`, import.meta.url);
  return readFileSync(file, 'utf8').split('\n');
}
