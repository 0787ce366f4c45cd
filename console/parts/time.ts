/** Times as people say them, and a clock that redraws. */
import { useEffect, useState } from 'react';

const TIME = new Intl.DateTimeFormat('en-NZ', {
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
});
const EXACT = new Intl.DateTimeFormat('en-NZ', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const DAY_AND_TIME = new Intl.DateTimeFormat('en-NZ', {
  weekday: 'short',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
});
const FULL = new Intl.DateTimeFormat('en-NZ', { dateStyle: 'medium', timeStyle: 'long' });
const DATE = new Intl.DateTimeFormat('en-NZ', { dateStyle: 'medium' });
const DAY_MS = 86_400_000;

export const timeOf = (iso: string): string => TIME.format(new Date(iso));
export const exactTimeOf = (iso: string): string => EXACT.format(new Date(iso));
export const dateOf = (iso: string): string => DATE.format(new Date(iso));
export const fullTimeOf = (iso: string): string => FULL.format(new Date(iso));

/** `14:05` today, `yesterday 14:05`, `tomorrow 14:05`, `Tue 14:05` on another day. */
export function momentOf(iso: string, nowMs: number): string {
  const at = new Date(iso);
  const day = new Date(nowMs);
  const isOnDay = (offset: number): boolean =>
    new Date(day.getFullYear(), day.getMonth(), day.getDate() + offset).toDateString() ===
    at.toDateString();
  if (isOnDay(0)) return TIME.format(at);
  if (isOnDay(-1)) return `yesterday ${TIME.format(at)}`;
  return isOnDay(1) ? `tomorrow ${TIME.format(at)}` : DAY_AND_TIME.format(at);
}

/** `4:05`, `1:00:00`, never below zero. */
export function countdown(leftMs: number): string {
  const seconds = Math.max(0, Math.ceil(leftMs / 1_000));
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor((seconds % 3_600) / 60)];
  const rest = String(seconds % 60).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}

/** `4 s`, `1 min 5 s`, `2 h 5 min`: how long something has lasted. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor((seconds % 3_600) / 60)];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

/** `just now`, `12 s ago`, `4 min ago`, `2 h ago`, `3 d ago`. */
export function ago(sinceMs: number, nowMs: number): string {
  const ms = nowMs - sinceMs;
  if (ms < 5_000) return 'just now';
  if (ms < 60_000) return `${Math.floor(ms / 1_000)} s ago`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ago`;
  return ms < DAY_MS ? `${Math.floor(ms / 3_600_000)} h ago` : `${Math.floor(ms / DAY_MS)} d ago`;
}

/** Now, drawn again every `everyMs`. */
export function useNow(everyMs = 1_000): number {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => {
      setNowMs(Date.now());
    }, everyMs);
    return () => {
      clearInterval(timer);
    };
  }, [everyMs]);
  return nowMs;
}
