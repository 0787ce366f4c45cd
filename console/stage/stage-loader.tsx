/** Finds the stage's control and builds the phones once; says plainly when there is none. */
import { useEffect, useState } from 'react';
import { createLatchkey } from '../../sdk/client.ts';
import type { LatchkeyProblem } from '../../sdk/problem.ts';
import { Button } from '../parts/parts.tsx';
import { PhoneModel } from '../phone/phone-model.ts';
import { texts } from '../texts/texts.ts';
import { loadStageConfig, StageControl } from './control.ts';
import type { StageConfig } from './control.ts';
import { DemoBankControl } from './demo-bank-control.ts';
import { RecoveryControl } from './recovery-control.ts';
import { Stage } from './stage.tsx';

/** Hears how a call of the phone ended: without a problem, well. */
export type CallListener = (operation: string, problem?: LatchkeyProblem) => void;

export interface PhoneParts {
  readonly model: PhoneModel;
  /** Calls back for every call of the phone; returns how to stop. */
  readonly onCall: (listener: CallListener) => () => void;
}

export interface StageParts {
  readonly config: StageConfig;
  readonly control: StageControl;
  readonly bank: DemoBankControl;
  readonly recovery: RecoveryControl;
  /** The second one is there for whoever has lost the first. */
  readonly phones: { readonly old: PhoneParts; readonly new: PhoneParts };
}

/** One page, one stage: React may run an effect twice, the apps start once. */
let building: Promise<StageParts> | undefined;

export function StageLoader() {
  const [parts, setParts] = useState<StageParts | 'missing'>();
  useEffect(() => {
    building ??= build();
    building.then(setParts, () => {
      setParts('missing');
    });
  }, []);
  const { stage } = texts;
  if (parts === undefined) {
    return (
      <div className="stage-alone" role="status">
        {stage.loading}
      </div>
    );
  }
  if (parts === 'missing') {
    return (
      <main className="stage-alone">
        <h1>{stage.noControl.title}</h1>
        <p>{stage.noControl.text}</p>
        <Button
          kind="primary"
          onPress={() => {
            location.reload();
          }}
        >
          {stage.noControl.retry}
        </Button>
      </main>
    );
  }
  return <Stage parts={parts} />;
}

/** A passkey belongs to a name, never to an address (WebAuthn Level 3, section 5.1.3): who typed one is led to the name. */
const BY_ADDRESS: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]']);

async function build(): Promise<StageParts> {
  if (BY_ADDRESS.has(location.hostname)) {
    location.replace(location.href.replace(location.hostname, 'localhost'));
    return await new Promise<never>(() => undefined);
  }
  const config = await loadStageConfig();
  const { controlUrl } = config;
  return {
    config,
    control: new StageControl(controlUrl),
    bank: new DemoBankControl(controlUrl),
    recovery: new RecoveryControl(controlUrl),
    phones: { old: buildPhone(config), new: buildPhone(config, 'new phone') },
  };
}

function buildPhone(config: StageConfig, installation?: string): PhoneParts {
  const listeners = new Set<CallListener>();
  const tell: CallListener = (operation, problem) => {
    for (const listener of listeners) listener(operation, problem);
  };
  let hear: PhoneModel['hear'] = () => undefined;
  const { issuer, clientId, bankUrl, paymentsUrl } = config;
  const latchkey = createLatchkey({
    issuer,
    clientId,
    ...(installation === undefined ? {} : { installation }),
    onProblem: (operation, problem) => {
      hear(problem);
      tell(operation, problem);
    },
    onAnswer: (operation) => {
      hear();
      tell(operation);
    },
  });
  const model = new PhoneModel({ latchkey, bankUrl, paymentsUrl, locale: 'en' });
  ({ hear } = model);
  void model.boot();
  return {
    model,
    onCall: (listener) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}
