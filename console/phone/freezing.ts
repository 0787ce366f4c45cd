/**
 * "Freeze my account" on the phone, and its end: freezing asks for nothing, ending it asks for the passkey again. What the card shows is what the
 * server says of the account, never what was pressed.
 */
import type { Latchkey } from '../../sdk/client.ts';
import { LatchkeyProblem } from '../../sdk/problem.ts';
import type { PhoneCore } from './phone-core.ts';

export class Freezing {
  readonly #core: PhoneCore;
  readonly #latchkey: Latchkey;
  readonly #reload: () => Promise<void>;

  constructor(core: PhoneCore, latchkey: Latchkey, reload: () => Promise<void>) {
    this.#core = core;
    this.#latchkey = latchkey;
    this.#reload = reload;
  }

  async freeze(): Promise<void> {
    await this.#core.run('freeze', async () => {
      await this.#latchkey.freezes.freeze();
      await this.#reload();
    });
  }

  /** From a phone that nobody knows: a code goes to that number, if the bank knows it. */
  async request(phone: string): Promise<void> {
    await this.#core.run('freeze-ask', async () => {
      const { requestId } = await this.#latchkey.freezes.requestFreeze(phone);
      this.#core.set({ freezeAsked: { requestId }, draftCode: '' });
    });
  }

  async submitCode(code: string): Promise<void> {
    await this.#core.run('freeze-code', async () => {
      const { freezeAsked } = this.#core.state();
      if (freezeAsked === undefined) return;
      const { requestId } = freezeAsked;
      const { frozenUntil } = await this.#latchkey.freezes.submitFreezeCode(requestId, code);
      this.#core.set({ freezeAsked: { requestId, frozenUntil } });
    });
  }

  async lift(): Promise<void> {
    await this.#core.run('lift-freeze', async () => {
      await this.#liftByPasskey();
      await this.#reload();
    });
  }

  async #liftByPasskey(): Promise<void> {
    try {
      await this.#latchkey.freezes.liftFreeze();
    } catch (error) {
      const needsPasskey =
        error instanceof LatchkeyProblem && error.code === 'insufficient_user_authentication';
      if (!needsPasskey) throw error;
      await this.#latchkey.logIn();
      await this.#latchkey.freezes.liftFreeze();
    }
  }
}
