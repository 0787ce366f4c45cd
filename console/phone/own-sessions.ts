/**
 * The customer's sessions and login history on the phone: looked at, ended one by one or all but this one. What stands there is what the server
 * says; a list may be stale, and ending what has ended already is no error.
 */
import type { Latchkey } from '../../sdk/client.ts';
import type { PhoneCore } from './phone-core.ts';
import type { HomeView } from './phone-state.ts';

export class OwnSessions {
  readonly #core: PhoneCore;
  readonly #latchkey: Latchkey;
  readonly #reload: () => Promise<void>;

  constructor(core: PhoneCore, latchkey: Latchkey, reload: () => Promise<void>) {
    this.#core = core;
    this.#latchkey = latchkey;
    this.#reload = reload;
  }

  /** Shows it at once, and then as of now. */
  async show(homeView: HomeView): Promise<void> {
    this.#core.set({ homeView, history: undefined, problem: undefined, notice: undefined });
    if (homeView === 'history') await this.#core.run('history', () => this.#readHistory());
    else if (homeView === 'sessions') await this.#core.run('sessions', this.#reload);
  }

  async olderHistory(): Promise<void> {
    await this.#core.run('older', () => this.#readHistory());
  }

  async end(sessionId: string): Promise<void> {
    await this.#core.run(`end-${sessionId}`, async () => {
      await this.#latchkey.endSession(sessionId);
      await this.#reload();
      this.#core.set({ notice: 'sessions_ended', endedSessions: 1 });
    });
  }

  async endOthers(): Promise<void> {
    await this.#core.run('end-others', async () => {
      const endedSessions = await this.#latchkey.logOut('others');
      await this.#reload();
      this.#core.set({ notice: 'sessions_ended', endedSessions });
    });
  }

  async #readHistory(): Promise<void> {
    const { history } = this.#core.state();
    const { entries, next } = await this.#latchkey.loginHistory(history?.next ?? undefined);
    // Whoever left meanwhile is not brought back to it.
    if (this.#core.state().homeView === 'history')
      this.#core.set({ history: { entries: [...(history?.entries ?? []), ...entries], next } });
  }
}
