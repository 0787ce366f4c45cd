/** What this installation calls itself until its owner gives it a name: the browser and the system, no more. */
const BROWSERS = [
  ['Edg/', 'Edge'],
  ['Firefox/', 'Firefox'],
  ['Chrome/', 'Chrome'],
  ['Safari/', 'Safari'],
] as const;
const SYSTEMS = [
  ['iPhone', 'iPhone'],
  ['iPad', 'iPad'],
  ['Android', 'Android'],
  ['Windows', 'Windows'],
  ['Mac OS', 'Mac'],
  ['Linux', 'Linux'],
] as const;

export function deviceDescription(agent = navigator.userAgent): {
  name: string;
  platform: string;
} {
  const browser = BROWSERS.find(([mark]) => agent.includes(mark))?.[1] ?? 'Browser';
  const system = SYSTEMS.find(([mark]) => agent.includes(mark))?.[1];
  return { name: system === undefined ? browser : `${browser} on ${system}`, platform: 'web' };
}
