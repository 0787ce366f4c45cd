/** The few icons, drawn on a 20 px grid in the colour of the text. Each stands beside its word and is silent to screen readers. */
import type { ReactNode } from 'react';

const PATHS = {
  key: (
    <>
      <circle cx="7.5" cy="7.5" r="3.75" />
      <path d="m10.2 10.2 6 6m-2.8-2.8 2.2-2.2" />
    </>
  ),
  database: (
    <>
      <ellipse cx="10" cy="5" rx="6" ry="2.4" />
      <path d="M4 5v10c0 1.3 2.7 2.4 6 2.4s6-1.1 6-2.4V5M4 10c0 1.3 2.7 2.4 6 2.4s6-1.1 6-2.4" />
    </>
  ),
  loop: (
    <path d="M4 10a6 6 0 0 1 10.4-4.1L16 7.5M16 3.5v4h-4M16 10a6 6 0 0 1-10.4 4.1L4 12.5m0 4v-4h4" />
  ),
  refused: (
    <>
      <circle cx="10" cy="10" r="6.5" />
      <path d="m5.6 5.6 8.8 8.8" />
    </>
  ),
  check: <path d="m4.5 10.5 3.5 3.5 7.5-8" />,
  shield: (
    <>
      <path d="M10 2.8 4 5v4.6c0 3.6 2.5 6.4 6 7.6 3.5-1.2 6-4 6-7.6V5z" />
      <path d="m7.4 9.9 1.9 1.9 3.4-3.7" />
    </>
  ),
  shieldOff: (
    <>
      <path d="M10 2.8 4 5v4.6c0 3.6 2.5 6.4 6 7.6 3.5-1.2 6-4 6-7.6V5z" />
      <path d="M10 7v3.4m0 2.6v.1" />
    </>
  ),
  phone: (
    <>
      <rect x="5.5" y="2.5" width="9" height="15" rx="2" />
      <path d="M9 15h2" />
    </>
  ),
  out: <path d="M8 4H5a1 1 0 0 0-1 1v10a1 1 0 0 0 1 1h3m4-9 3 3-3 3m3-3H8" />,
  external: <path d="M8 5H5v10h10v-3M11 4h5v5m0-5-7 7" />,
  back: <path d="M12 4.5 6.5 10l5.5 5.5" />,
  mail: (
    <>
      <rect x="3" y="5" width="14" height="10" rx="1.6" />
      <path d="m3.5 6 6.5 5 6.5-5" />
    </>
  ),
  message: <path d="M4 4.5h12v9H9l-3.5 3v-3H4z" />,
  restart: <path d="M4.2 8A6 6 0 1 1 4 11.6M4 4v4h4" />,
  warning: (
    <>
      <path d="M10 3.5 2.8 16h14.4z" />
      <path d="M10 8.4v3.4m0 2.1v.1" />
    </>
  ),
  line: <path d="M2.5 10h3m9 0h3M5.5 6.8v6.4M14.5 6.8v6.4M8 10h.1m1.9 0h.1m1.9 0h.1" />,
  lineLost: (
    <path d="M3 8.2a10.4 10.4 0 0 1 4-2.3m3.4-.5A10.4 10.4 0 0 1 17 8.2M5.6 11a6.7 6.7 0 0 1 2.9-1.7m3.7.1a6.7 6.7 0 0 1 2.2 1.6M8.2 13.7a3 3 0 0 1 3.6 0M10 16.4v.1M4 3l12 13" />
  ),
  pause: (
    <>
      <circle cx="10" cy="10" r="6.8" />
      <path d="M8.2 7.5v5m3.6-5v5" />
    </>
  ),
  worker: (
    <>
      <circle cx="10" cy="10" r="2.6" />
      <path d="M10 3v2.2m0 9.6V17m7-7h-2.2M5.2 10H3m11.9-4.9-1.5 1.5m-6.8 6.8-1.5 1.5m9.8 0-1.5-1.5M6.6 6.6 5.1 5.1" />
    </>
  ),
  play: <path d="M6.5 4.5v11l9-5.5z" />,
  stop: <rect x="5.5" y="5.5" width="9" height="9" rx="1.4" />,
  up: <path d="M10 16V4.5m-4.5 4.5L10 4.5l4.5 4.5" />,
} as const satisfies Record<string, ReactNode>;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 20 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg
      className="icon"
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {PATHS[name]}
    </svg>
  );
}
