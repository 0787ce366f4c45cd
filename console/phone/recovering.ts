/**
 * Recovery on the new phone: the contact, the check of the person, the waiting room and the passkey; it looks by itself whether somebody else has done
 * something. The screen is what the server says; it must never decide that a step is done, nor forget a case that is open.
 */
import type { Latchkey } from '../../sdk/client.ts';
import { LatchkeyProblem } from '../../sdk/problem.ts';
import type { RecoveryAsked, RecoveryRequestView, RecoveryView } from '../../sdk/recovery-types.ts';
import { deviceDescription } from './device-description.ts';
import type { PhoneCore } from './phone-core.ts';
import type { PhoneState } from './phone-state.ts';

export type AskedContact = { readonly phone: string } | { readonly email: string };

/** How often it is looked whether the link was opened. */
const LOOK_MS = 1_500;

export class Recovering {
  readonly #core: PhoneCore;
  readonly #latchkey: Latchkey;
  readonly #locale: string;
  #following: AbortController | undefined;
  /** The case for which a second contact is asked. */
  #caseId: string | undefined;

  constructor(core: PhoneCore, latchkey: Latchkey, locale: string) {
    this.#core = core;
    this.#latchkey = latchkey;
    this.#locale = locale;
  }

  /** Takes up what was under way before the app was closed; false: nothing was. */
  async resume(): Promise<boolean> {
    const place = await this.#latchkey.recovery.resume();
    if (place?.recovery !== undefined) this.#show(place.recovery);
    else if (place !== undefined) await this.#become(place.request);
    return place !== undefined;
  }

  /** What the stage's inbox knows. */
  offerExamples(examples: PhoneState['examples']): void {
    this.#core.set({ examples });
  }

  async ask(report: RecoveryAsked['report'], contact: AskedContact): Promise<void> {
    await this.#core.run('recover-ask', async () => {
      this.#pause();
      const asked = { report, locale: this.#locale, ...contact };
      await this.#become(await this.#latchkey.recovery.start(asked));
    });
    this.#goOn();
  }

  async submitCode(code: string): Promise<void> {
    const { screen } = this.#core.state();
    if (screen.kind !== 'recover-request') return;
    const { requestId } = screen.request;
    await this.#core.run('code', async () => {
      this.#pause();
      try {
        await this.#become(await this.#latchkey.recovery.submitCode(requestId, code));
      } catch (error) {
        if (!(error instanceof LatchkeyProblem) || error.isUndecided) throw error;
        await this.#become(await this.#latchkey.recovery.request(requestId));
        throw error;
      }
    });
    this.#goOn();
  }

  /** A new check takes the place of the one before. */
  async checkPerson(): Promise<void> {
    await this.#step('liveness', ({ recoveryId }) =>
      this.#latchkey.recovery.beginLiveness(recoveryId),
    );
  }

  async createPasskey(): Promise<void> {
    await this.#step('passkey', ({ recoveryId }) =>
      this.#latchkey.recovery.createPasskey(recoveryId, deviceDescription()),
    );
    this.#core.set({ installation: await this.#latchkey.enrollment.installation() });
  }

  /** The account is as it was. */
  async cancel(): Promise<void> {
    await this.#step('cancel', ({ recoveryId }) => this.#latchkey.recovery.cancel(recoveryId));
  }

  /** Nothing was proved by it: the request is left to expire, and a case that is open goes on as it stood. */
  async leaveRequest(): Promise<void> {
    await this.#core.run('leave', async () => {
      this.#pause();
      const { recovery } = this.#latchkey;
      if (this.#caseId === undefined) {
        await recovery.dismiss();
        this.#core.goTo('recover-ask');
      } else this.#show(await recovery.goBackTo(this.#caseId));
    });
    this.#goOn();
  }

  /** After its end was shown. */
  async dismiss(): Promise<void> {
    this.#pause();
    this.#caseId = undefined;
    await this.#latchkey.recovery.dismiss();
  }

  stopFollowing(): void {
    this.#pause();
  }

  async #step(name: string, step: (view: RecoveryView) => Promise<RecoveryView>): Promise<void> {
    const { screen } = this.#core.state();
    if (screen.kind !== 'recovery') return;
    await this.#core.run(name, async () => {
      this.#pause();
      try {
        this.#show(await step(screen.view));
      } catch (error) {
        if (!(error instanceof LatchkeyProblem)) throw error;
        if (error.code.startsWith('passkey_') || error.isUndecided) throw error;
        // How it stands says more than the refusal, when it has moved.
        const now = await this.#latchkey.recovery.view(screen.view.recoveryId);
        this.#show(now);
        if (now.state === screen.view.state) throw error;
      }
    });
    this.#goOn();
  }

  async #become(request: RecoveryRequestView): Promise<void> {
    if (request.status !== 'proved') {
      const isSame = this.#core.state().screen.kind === 'recover-request';
      this.#core.set({
        screen: { kind: 'recover-request', request },
        ...(isSame ? {} : { draftCode: '' }),
      });
      this.#follow();
      return;
    }
    const { recoveryId } = request;
    if (recoveryId === undefined) await this.#isElsewhere();
    else this.#show(await this.#latchkey.recovery.view(recoveryId));
  }

  #show(view: RecoveryView): void {
    this.#caseId = view.state === 'ended' ? undefined : view.recoveryId;
    const before = this.#core.state().screen;
    const isSameStep = before.kind === 'recovery' && before.view.state === view.state;
    this.#core.set({
      screen: { kind: 'recovery', view },
      ...(isSameStep ? {} : { draftCode: '', problem: undefined }),
    });
    this.#follow();
  }

  async #isElsewhere(): Promise<void> {
    await this.dismiss();
    this.#core.goTo('recover-elsewhere');
  }

  #pause(): void {
    this.#following?.abort();
    this.#following = undefined;
  }

  /** After a step that was refused nobody has begun to look again. */
  #goOn(): void {
    if (this.#following === undefined) this.#follow();
  }

  #follow(): void {
    this.#pause();
    const { screen } = this.#core.state();
    const following = new AbortController();
    const { signal } = following;
    let looking: Promise<void>;
    if (screen.kind === 'recovery' && screen.view.state !== 'ended')
      looking = this.#lookAtCase(screen.view, signal);
    else if (screen.kind === 'recover-request' && screen.request.status === 'sent')
      looking = this.#lookAtRequest(screen.request, signal);
    else return;
    this.#following = following;
    void looking.catch((error: unknown) => {
      if (!signal.aborted) this.#lose(error);
    });
  }

  async #lookAtCase(view: RecoveryView, signal: AbortSignal): Promise<void> {
    const asItStands = JSON.stringify(view);
    const next = await this.#latchkey.recovery.waitUntil(
      view.recoveryId,
      (now) => JSON.stringify(now) !== asItStands,
      signal,
    );
    if (!signal.aborted) this.#show(next);
  }

  async #lookAtRequest({ requestId, status }: RecoveryRequestView, signal: AbortSignal) {
    for (;;) {
      await pause(LOOK_MS, signal);
      if (signal.aborted) return;
      const now = await this.#latchkey.recovery.request(requestId).catch(undecided);
      if (now === undefined || now.status === status || signal.aborted) continue;
      await this.#become(now);
      return;
    }
  }

  #lose(error: unknown): void {
    const isGone = error instanceof LatchkeyProblem && error.code === 'recovery_not_found';
    if (isGone) void this.#isElsewhere();
    else this.#core.take(error);
  }
}

function undecided(error: unknown): undefined {
  if (!(error instanceof LatchkeyProblem) || !error.isUndecided) throw error;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
