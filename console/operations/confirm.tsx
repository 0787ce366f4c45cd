/**
 * Before something is changed: what it will do, in words and numbers, and why, picked from a list. Sends once; what got no answer is sent again under
 * the same key, so that it happens once.
 */
import { useRef, useState } from 'react';
import {
  Dialog,
  Heading,
  Label,
  Modal,
  ModalOverlay,
  Radio,
  RadioGroup,
} from 'react-aria-components';
import { Icon } from '../parts/icons.tsx';
import { Banner, Button } from '../parts/parts.tsx';
import { consoleTexts as words } from './console-texts.ts';
import type { Told } from './staff-api.ts';

export interface Change {
  readonly title: string;
  /** What it will do, a line each. */
  readonly effects: readonly string[];
  /** Why, as code and words; empty where nothing is to be picked. */
  readonly reasons: readonly (readonly [code: string, text: string])[];
  readonly act: string;
  readonly isDangerous: boolean;
  readonly send: (reason: string, key: string) => Promise<Told<unknown>>;
  /** What is said once it has happened. */
  readonly done: string;
}

export interface ConfirmProps {
  readonly change: Change;
  readonly onClose: () => void;
  readonly onDone: (words: string) => void;
  readonly onLost: () => void;
  readonly onReauthenticate: () => void;
}

/** One request a question: its key stays until the door has said something. */
function useChange({ change, onDone, onLost }: Pick<ConfirmProps, 'change' | 'onDone' | 'onLost'>) {
  const [isBusy, setIsBusy] = useState(false);
  const [trouble, setTrouble] = useState<string>();
  const [mustLogInAnew, setMustLogInAnew] = useState(false);
  const key = useRef(crypto.randomUUID());
  const act = async (reason: string) => {
    setIsBusy(true);
    setTrouble(undefined);
    const told = await change.send(reason, key.current);
    setIsBusy(false);
    switch (told.kind) {
      case 'answered':
        onDone(change.done);
        return;
      case 'logged-out':
        onLost();
        return;
      case 'silent':
        setTrouble(words.confirm.silent);
        return;
      case 'refused':
        // A request that was refused is over: the next one is another.
        key.current = crypto.randomUUID();
        setMustLogInAnew(told.code === 'reauthentication_required');
        setTrouble(words.refusals[told.code] ?? told.title);
    }
  };
  return { isBusy, trouble, mustLogInAnew, act };
}

export function Confirm(props: ConfirmProps) {
  const { change, onClose, onReauthenticate } = props;
  const [reason, setReason] = useState<string>();
  const { isBusy, trouble, mustLogInAnew, act } = useChange(props);
  const mayAct = change.reasons.length === 0 || reason !== undefined;
  return (
    <ModalOverlay
      className="overlay"
      isOpen
      isKeyboardDismissDisabled={isBusy}
      onOpenChange={(isOpen) => {
        if (!isOpen && !isBusy) onClose();
      }}
    >
      <Modal className="modal">
        <Dialog className="dialog" role={change.isDangerous ? 'alertdialog' : 'dialog'}>
          <Heading slot="title">{change.title}</Heading>
          <ul className="effects" data-tone={change.isDangerous ? 'danger' : 'plain'}>
            {change.effects.map((effect) => (
              <li key={effect}>
                <Icon name={change.isDangerous ? 'refused' : 'check'} size={16} /> {effect}
              </li>
            ))}
          </ul>
          <Reasons change={change} picked={reason} onPick={setReason} />
          {trouble !== undefined && <Banner tone="danger">{trouble}</Banner>}
          <div className="dialog-actions">
            <Button onPress={onClose} isDisabled={isBusy}>
              {words.confirm.leave}
            </Button>
            {mustLogInAnew ? (
              <Button kind="primary" onPress={onReauthenticate}>
                {words.confirm.logInAnew}
              </Button>
            ) : (
              <Button
                kind={change.isDangerous ? 'danger' : 'primary'}
                isDisabled={!mayAct}
                isBusy={isBusy}
                onPress={() => void act(reason ?? '')}
              >
                {change.act}
              </Button>
            )}
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

function Reasons({
  change: { reasons },
  picked,
  onPick,
}: {
  readonly change: Change;
  readonly picked: string | undefined;
  readonly onPick: (code: string) => void;
}) {
  if (reasons.length === 0) return null;
  return (
    <RadioGroup className="reasons" value={picked ?? null} onChange={onPick}>
      <Label>{words.confirm.why}</Label>
      {reasons.map(([code, text]) => (
        <Radio key={code} value={code} className="reason">
          {text}
        </Radio>
      ))}
    </RadioGroup>
  );
}
