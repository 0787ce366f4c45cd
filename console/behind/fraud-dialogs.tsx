/** The two dialogs of the fraud desk: what the button will do, in words and numbers, and the receipt of what it did. */
import type { ReactNode } from 'react';
import { Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { texts } from '../texts/texts.ts';
import { exactTimeOf, fullTimeOf } from '../parts/time.ts';
import { Icon } from '../parts/icons.tsx';
import { Button } from '../parts/parts.tsx';
import type { CutOff } from '../stage/control.ts';

export interface CutOffDialogProps {
  readonly isOpen: boolean;
  readonly sessions: number | undefined;
  readonly epoch: number | undefined;
  readonly onClose: () => void;
  readonly onConfirm: () => void;
}

export function CutOffDialog(props: CutOffDialogProps) {
  const { fraud: words } = texts.behind;
  const effects = [
    words.effects.sessions(props.sessions),
    words.effects.devices,
    words.effects.epoch(props.epoch),
    words.effects.login,
  ];
  return (
    <Sheet
      isOpen={props.isOpen}
      onClose={props.onClose}
      title={words.confirmTitle}
      role="alertdialog"
      actions={
        <>
          <Button onPress={props.onClose}>{words.cancel}</Button>
          <Button kind="danger" onPress={props.onConfirm}>
            {words.cutOff}
          </Button>
        </>
      }
    >
      <ul className="effects">
        {effects.map((effect) => (
          <li key={effect}>
            <Icon name="refused" size={16} /> {effect}
          </li>
        ))}
      </ul>
    </Sheet>
  );
}

export interface ReceiptDialogProps {
  readonly isOpen: boolean;
  readonly cutOff: CutOff;
  readonly onClose: () => void;
}

export function ReceiptDialog({ isOpen, cutOff, onClose }: ReceiptDialogProps) {
  const { fraud: words } = texts.behind;
  const { sessionsEnded = 0, ceremoniesEnded = 0, lastTokenDiesAt } = cutOff;
  const rows: readonly (readonly [string, string, string?])[] = [
    [words.effectiveAt, exactTimeOf(cutOff.effectiveAt), fullTimeOf(cutOff.effectiveAt)],
    [words.epoch, `${cutOff.oldEpoch} → ${cutOff.newEpoch}`],
    [words.stopped, words.stoppedText(cutOff.devices, cutOff.credentials)],
    [words.ended, words.endedText(sessionsEnded, ceremoniesEnded)],
    ...(lastTokenDiesAt === undefined
      ? []
      : [[words.lastToken, exactTimeOf(lastTokenDiesAt), fullTimeOf(lastTokenDiesAt)] as const]),
  ];
  return (
    <Sheet
      isOpen={isOpen}
      onClose={onClose}
      title={words.receiptTitle}
      role="dialog"
      actions={
        <Button kind="primary" onPress={onClose}>
          {words.close}
        </Button>
      }
    >
      <p className="quiet">{words.receiptText}</p>
      <dl className="receipt">
        {rows.map(([name, value, exact]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd title={exact}>{value}</dd>
          </div>
        ))}
      </dl>
      <details className="raw">
        <summary>{words.raw}</summary>
        <pre tabIndex={0}>{JSON.stringify(cutOff.receipt, null, 2)}</pre>
      </details>
    </Sheet>
  );
}

function Sheet(props: {
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly title: string;
  readonly role: 'dialog' | 'alertdialog';
  readonly children: ReactNode;
  readonly actions: ReactNode;
}) {
  return (
    <ModalOverlay
      className="overlay"
      isOpen={props.isOpen}
      isDismissable={props.role === 'dialog'}
      onOpenChange={(isOpen) => {
        if (!isOpen) props.onClose();
      }}
    >
      <Modal className="modal">
        <Dialog className="dialog" role={props.role}>
          <Heading slot="title">{props.title}</Heading>
          {props.children}
          <div className="dialog-actions">{props.actions}</div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
