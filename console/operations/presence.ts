/**
 * Whether somebody sits at this page. What it asks while nobody does says so, and then keeps no session awake (docs/staff.md): a screen left
 * alone locks itself however often it looks. It can only shorten a session, never lengthen one.
 */

/** As often as the door writes a use down. */
const PRESENT_MS = 60_000;
const SIGNS = ['keydown', 'pointerdown', 'pointermove', 'wheel'] as const;

let heardMs: number | undefined;

/** From now on; opening the page is a sign too. */
export function watchPresence(): void {
  const hear = () => {
    heardMs = Date.now();
  };
  hear();
  for (const sign of SIGNS) window.addEventListener(sign, hear, { capture: true, passive: true });
}

/** To send along with what is asked, and with nothing that a person does. */
export function presenceHeaders(): Readonly<Record<string, string>> {
  const isAlone = heardMs !== undefined && Date.now() - heardMs > PRESENT_MS;
  return isAlone ? { 'latchkey-unattended': '?1' } : {};
}
