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
import { Banner, Button, Field } from '../parts/parts.tsx';
import { consoleTexts as words } from './console-texts.ts';
import type { Told } from './staff-api.ts';

export interface Change {
  readonly title: string;
  /** What it will do, a line each. */
  readonly effects: readonly string[];
  /** Why, as code and words; empty where nothing is to be picked. */
  readonly reasons: readonly (readonly [code: string, text: string])[];
  /** What is asked of them; why, when left out. */
  readonly reasonsLabel?: string;
  readonly act: string;
  readonly isDangerous: boolean;
  /** Something to copy out of another system, never prose. */
  readonly field?: { readonly label: string; readonly hint: string; readonly form: RegExp };
  /** A second list, of which one is picked. */
  readonly choice?: {
    readonly label: string;
    readonly options: readonly (readonly [string, string])[];
  };
  /** Why the door may refuse it, where the words are others than everywhere. */
  readonly refusals?: Readonly<Record<string, string>>;
  readonly send: (reason: string, key: string, more: More) => Promise<Told<unknown>>;
  /** What is said once it has happened. */
  readonly done: string;
}

export interface More {
  /** What stands in the field. */
  readonly text: string;
  readonly choice: string;
}

export interface ConfirmProps {
  readonly change: Change;
  /** What happened meanwhile so that it can be done no more. */
  readonly blocked?: string | undefined;
  readonly onClose: () => void;
  readonly onDone: (words: string) => void;
  readonly onLost: () => void;
  /** Something is other than the page shows: it looks again, and what was picked and typed stays. */
  readonly onRefused: () => void;
  readonly onReauthenticate: () => void;
}

/** One request a question: its key stays until the door has said something. */
function useChange({
  change,
  onDone,
  onLost,
  onRefused,
}: Pick<ConfirmProps, 'change' | 'onDone' | 'onLost' | 'onRefused'>) {
  const [isBusy, setIsBusy] = useState(false);
  const [trouble, setTrouble] = useState<string>();
  const [mustLogInAnew, setMustLogInAnew] = useState(false);
  const key = useRef(crypto.randomUUID());
  const act = async (reason: string, more: More) => {
    setIsBusy(true);
    setTrouble(undefined);
    const told = await change.send(reason, key.current, more);
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
        setTrouble(change.refusals?.[told.code] ?? words.refusals[told.code] ?? told.title);
        onRefused();
    }
  };
  return { isBusy, trouble, mustLogInAnew, act };
}

export function Confirm(props: ConfirmProps) {
  const { change, onClose, onReauthenticate } = props;
  const [reason, setReason] = useState<string>();
  const [text, setText] = useState('');
  const [choice, setChoice] = useState<string>();
  const { isBusy, trouble, mustLogInAnew, act } = useChange(props);
  const mayAct = props.blocked === undefined && isAnswered(change, { reason, choice, text });
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
          <Questions
            change={change}
            answers={{ reason, choice, text }}
            onReason={setReason}
            onChoice={setChoice}
            onText={setText}
          />
          {props.blocked !== undefined && <Banner tone="wait">{props.blocked}</Banner>}
          {trouble !== undefined && props.blocked === undefined && (
            <Banner tone="danger">{trouble}</Banner>
          )}
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
                onPress={() => void act(reason ?? '', { text, choice: choice ?? '' })}
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

interface Answers {
  readonly reason: string | undefined;
  readonly choice: string | undefined;
  readonly text: string;
}

function isAnswered({ reasons, field, choice }: Change, answers: Answers): boolean {
  return (
    (reasons.length === 0 || answers.reason !== undefined) &&
    (field?.form.test(answers.text) ?? true) &&
    (choice === undefined || answers.choice !== undefined)
  );
}

function Questions({
  change: { reasons, reasonsLabel, choice, field },
  answers,
  onReason,
  onChoice,
  onText,
}: {
  readonly change: Change;
  readonly answers: Answers;
  readonly onReason: (code: string) => void;
  readonly onChoice: (code: string) => void;
  readonly onText: (text: string) => void;
}) {
  return (
    <>
      <Reasons
        label={reasonsLabel ?? words.confirm.why}
        options={reasons}
        picked={answers.reason}
        onPick={onReason}
      />
      {choice !== undefined && <Reasons {...choice} picked={answers.choice} onPick={onChoice} />}
      {field !== undefined && (
        <Field
          label={field.label}
          hint={field.hint}
          autoComplete="off"
          value={answers.text}
          onChange={onText}
        />
      )}
    </>
  );
}

function Reasons({
  label,
  options,
  picked,
  onPick,
}: {
  readonly label: string;
  readonly options: readonly (readonly [code: string, text: string])[];
  readonly picked: string | undefined;
  readonly onPick: (code: string) => void;
}) {
  if (options.length === 0) return null;
  return (
    <RadioGroup className="reasons" value={picked ?? null} onChange={onPick}>
      <Label>{label}</Label>
      {options.map(([code, text]) => (
        <Radio key={code} value={code} className="reason">
          {text}
        </Radio>
      ))}
    </RadioGroup>
  );
}
