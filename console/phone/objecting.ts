/**
 * A recovery of this account that was asked for elsewhere, on the phone that the owner still has: "that was not me", or "that was me" to end the time to
 * object. What came of it is what the server says; a fresh passkey is asked for only where it counts for more.
 */
import type { Latchkey } from '../../sdk/client.ts';
import { LatchkeyProblem } from '../../sdk/problem.ts';
import type { PhoneCore } from './phone-core.ts';

/** The phone was reported, or its passkey lives on one that was: a fresh login does not help. */
const NOT_FROM_HERE: ReadonlySet<string> = new Set([
  'device_not_allowed',
  'insufficient_user_authentication',
]);

export class Objecting {
  readonly #core: PhoneCore;
  readonly #latchkey: Latchkey;
  readonly #reload: () => Promise<void>;

  constructor(core: PhoneCore, latchkey: Latchkey, reload: () => Promise<void>) {
    this.#core = core;
    this.#latchkey = latchkey;
    this.#reload = reload;
  }

  async object(recoveryId: string): Promise<void> {
    await this.#core.run('object', async () => {
      const { result } = await this.#latchkey.ownRecoveries.object(recoveryId);
      this.#core.set({ notice: `objected_${result}` });
      // What ended everything ended this session, too.
      if (result !== 'stopped') await this.#reload();
    });
  }

  async shorten(recoveryId: string): Promise<void> {
    await this.#core.run('shorten', async () => {
      const notice = await this.#shortenOrNot(recoveryId);
      await this.#reload();
      this.#core.set({ notice });
    });
  }

  async #shortenOrNot(recoveryId: string): Promise<'shortened' | 'shorten_refused'> {
    try {
      await this.#shortenByPasskey(recoveryId);
      return 'shortened';
    } catch (error) {
      // Elsewhere these codes are about logging in.
      if (error instanceof LatchkeyProblem && NOT_FROM_HERE.has(error.code))
        return 'shorten_refused';
      throw error;
    }
  }

  async #shortenByPasskey(recoveryId: string): Promise<void> {
    const { ownRecoveries } = this.#latchkey;
    try {
      await ownRecoveries.shorten(recoveryId);
    } catch (error) {
      const needsPasskey =
        error instanceof LatchkeyProblem && error.code === 'insufficient_user_authentication';
      if (!needsPasskey) throw error;
      await this.#latchkey.logIn();
      await ownRecoveries.shorten(recoveryId);
    }
  }
}
