/** Who takes part in a customer's life, each with a key of its own: his two installations, a thief without any of them, the fraud engine, a service. */
import type { TestApi } from '../../api.ts';
import type { SoftwareAuthenticator } from '../../authenticator.ts';
import { createBanker } from '../../login-bed.ts';
import { ASSERTION_TYPE, makeClientAssertion } from '../../machine.ts';
import { createKeyPair } from '../../proof.ts';
import type { Holder } from './actions.ts';
import { Hand } from './wire.ts';
import type { Door } from './wire.ts';

/** As old as a machine's token gets here. */
const MACHINE_TOKEN_USED_MS = 60_000;

/** What a gateway asks: what the proof names, and the headers of the question. */
export interface GatewayQuestion {
  readonly htu: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Cast {
  readonly door: Door;
  readonly customerId: string;
  readonly authenticator: SoftwareAuthenticator;
  readonly hands: Readonly<Record<Holder | 'thief', Hand>>;
  /** The fraud engine, and a service that asks about tokens. */
  readonly engine: () => Promise<Machine>;
  readonly service: () => Promise<Machine>;
  readonly gateway: GatewayQuestion;
}

interface Machine {
  readonly hand: Hand;
  readonly accessToken: string;
}

/** A new customer, written into the tables of `seeds`, who comes in at the door. */
export async function castOf(seeds: TestApi, door: Door, gateway: GatewayQuestion): Promise<Cast> {
  const { authenticator, customerId, phone } = await createBanker(seeds);
  const stranger = async () => new Hand(door, await createKeyPair());
  return {
    door,
    customerId,
    authenticator,
    hands: {
      handset: new Hand(door, phone.key),
      tablet: await stranger(),
      thief: await stranger(),
    },
    engine: machineOf(seeds, await stranger(), { door, client: 'demo-fraud' }),
    service: machineOf(seeds, await stranger(), { door, client: 'demo-bank' }),
    gateway,
  };
}

/** With a token that lives long enough. @throws when the token's answer is lost */
function machineOf(
  seeds: TestApi,
  hand: Hand,
  { door, client }: { readonly door: Door; readonly client: 'demo-fraud' | 'demo-bank' },
): () => Promise<Machine> {
  let newest: (Machine & { readonly atMs: number }) | undefined;
  return async () => {
    const atMs = door.nowMs();
    if (newest === undefined || atMs - newest.atMs > MACHINE_TOKEN_USED_MS) {
      const { status, body } = await hand.call({
        method: 'POST',
        path: '/oauth/token',
        form: {
          grant_type: 'client_credentials',
          client_assertion_type: ASSERTION_TYPE,
          client_assertion: await makeClientAssertion(seeds, { client }),
        },
      });
      if (status !== 200) throw new Error(`no machine token: ${JSON.stringify(body)}`);
      newest = { hand, accessToken: String(body.access_token), atMs };
    }
    return newest;
  };
}
