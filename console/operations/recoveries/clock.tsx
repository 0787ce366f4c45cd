/** The clock of a case as a word with a colour: what is late, what will be soon, whose turn it is. */
import { Tag } from '../../parts/parts.tsx';
import { ago, duration, fullTimeOf } from '../../parts/time.ts';
import type { QueuedRecovery } from './recovery-api.ts';
import { recoveryTexts as words } from './recovery-texts.ts';

const SOON_MS = 60 * 60_000;

type Clocks = Pick<
  QueuedRecovery,
  'state' | 'reviewDueAt' | 'escalatedAt' | 'heldAt' | 'stepEndsAt'
>;

function saidOf(
  one: Clocks,
  nowMs: number,
): {
  readonly tone: 'good' | 'wait' | 'danger' | 'plain';
  readonly text: string;
  readonly at: string | null;
} {
  const { clocks } = words;
  const ms = (iso: string) => new Date(iso).getTime();
  const left = (iso: string) => coarse(ms(iso) - nowMs);
  if (one.state === 'held' && one.heldAt !== null)
    return { tone: 'danger', text: clocks.held(ago(ms(one.heldAt), nowMs)), at: one.heldAt };
  if (one.escalatedAt !== null)
    return {
      tone: 'danger',
      text: clocks.escalated(ago(ms(one.escalatedAt), nowMs)),
      at: one.escalatedAt,
    };
  if (one.reviewDueAt !== null) {
    const leftMs = ms(one.reviewDueAt) - nowMs;
    if (leftMs <= 0)
      return {
        tone: 'danger',
        text: clocks.overdue(ago(ms(one.reviewDueAt), nowMs)),
        at: one.reviewDueAt,
      };
    return {
      tone: leftMs < SOON_MS ? 'wait' : 'plain',
      text: clocks.soon(left(one.reviewDueAt)),
      at: one.reviewDueAt,
    };
  }
  if (one.stepEndsAt !== null)
    return {
      tone: 'plain',
      text: (one.state === 'cooling' ? clocks.cooling : clocks.customer)(left(one.stepEndsAt)),
      at: one.stepEndsAt,
    };
  return { tone: 'plain', text: clocks.none, at: null };
}

/** Of hours the seconds say nothing. */
function coarse(ms: number): string {
  const days = Math.round(ms / 86_400_000);
  if (days >= 2) return `${String(days)} days`;
  return ms < 3_600_000 ? duration(ms).replace(/ \d+ s$/, '') : duration(ms);
}

export function Clock({ one, nowMs }: { readonly one: Clocks; readonly nowMs: number }) {
  const { tone, text, at } = saidOf(one, nowMs);
  return (
    <span {...(at === null ? {} : { title: fullTimeOf(at) })}>
      <Tag tone={tone}>{text}</Tag>
    </span>
  );
}
