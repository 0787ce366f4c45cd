/** The demo bank's own desks behind stage control: its payments with somebody who tampers, its agent, its risk engine. */
import { readCall } from './call-view.ts';
import type { CallView } from './call-view.ts';
import { ask, optionalText } from './control-call.ts';
import { readPayments } from './payments-view.ts';
import type { PaymentsView } from './payments-view.ts';

export type LoginRisk = 'low' | 'high';

export class DemoBankControl {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async payments(customerId: string): Promise<PaymentsView> {
    const query = new URLSearchParams({ customerId }).toString();
    return readPayments(await ask(`${this.#url}/payments?${query}`));
  }

  hold(customerId: string, isHeld: boolean): Promise<PaymentsView> {
    return this.#press('hold', { customerId, isHeld });
  }

  /** `amount`: somebody changes it before. */
  execute(customerId: string, paymentId: string, amount?: string): Promise<PaymentsView> {
    const changed = amount === undefined ? {} : { amount };
    return this.#press('execute', { customerId, paymentId, ...changed });
  }

  replay(customerId: string, paymentId: string): Promise<PaymentsView> {
    return this.#press('replay', { customerId, paymentId });
  }

  /** A workflow of the bank pays. */
  startWorkflow(customerId: string): Promise<PaymentsView> {
    return this.#press('workflow', { customerId });
  }

  /** Forgets this customer's payments, and takes back what waits. */
  reset(customerId: string): Promise<PaymentsView> {
    return this.#press('reset', { customerId });
  }

  async call(customerId: string, caseReference: string): Promise<CallView> {
    return readCall(await ask(`${this.#url}/calls`, { customerId, caseReference }));
  }

  async callNow(stepUpId: string): Promise<CallView> {
    return readCall(await ask(`${this.#url}/calls/${stepUpId}`));
  }

  async loginRisk(): Promise<LoginRisk> {
    const { risk } = await ask(`${this.#url}/status`);
    const { logins } =
      typeof risk === 'object' && risk !== null ? { logins: '', ...risk } : { logins: '' };
    return optionalText(logins) === 'high' ? 'high' : 'low';
  }

  async setLoginRisk(logins: LoginRisk): Promise<void> {
    await ask(`${this.#url}/risk/behaviour`, { logins });
  }

  async #press(button: string, body: unknown): Promise<PaymentsView> {
    return readPayments(await ask(`${this.#url}/payments/${button}`, body));
  }
}
