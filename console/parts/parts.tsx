/** The controls that all pages share, themed once: the component library's behaviour in our clothes. */
import type { ReactNode } from 'react';
import { FieldError, Input, Label, Text, TextField } from 'react-aria-components';
import type { TextFieldProps } from 'react-aria-components';
import { Icon } from './icons.tsx';
import type { IconName } from './icons.tsx';

export interface ButtonProps {
  readonly children: ReactNode;
  readonly onPress?: () => void;
  readonly kind?: 'primary' | 'secondary' | 'quiet' | 'danger';
  readonly size?: 'phone' | 'dense';
  readonly isBusy?: boolean;
  readonly isDisabled?: boolean;
  readonly type?: 'button' | 'submit';
  readonly icon?: IconName;
  readonly title?: string;
}

/** While busy it keeps its place, its width and its focus, and takes no second press. */
export function Button(props: ButtonProps) {
  const { children, onPress, kind = 'secondary', size = 'phone', icon } = props;
  const isBusy = props.isBusy === true;
  return (
    <button
      className="button"
      data-kind={kind}
      data-size={size}
      type={props.type ?? 'button'}
      aria-busy={isBusy || undefined}
      aria-disabled={isBusy || undefined}
      disabled={props.isDisabled}
      title={props.title}
      onClick={(event) => {
        if (isBusy) event.preventDefault();
        else onPress?.();
      }}
    >
      {icon !== undefined && <Icon name={icon} size={size === 'dense' ? 16 : 20} />}
      <span>{children}</span>
      {isBusy && <Spinner />}
    </button>
  );
}

export function Spinner() {
  return <span className="spinner" aria-hidden="true" />;
}

export interface FieldProps extends Omit<TextFieldProps, 'children' | 'className'> {
  readonly label: string;
  readonly hint?: string;
  readonly placeholder?: string;
  readonly error?: string | undefined;
  readonly look?: 'text' | 'code' | 'amount';
}

export function Field({ label, hint, placeholder, error, look = 'text', ...field }: FieldProps) {
  return (
    <TextField {...field} className="field" isInvalid={error !== undefined}>
      <Label>{label}</Label>
      <Input {...(placeholder === undefined ? {} : { placeholder })} data-look={look} />
      {hint !== undefined && (
        <Text slot="description" className="hint">
          {hint}
        </Text>
      )}
      <FieldError className="field-error">{error}</FieldError>
    </TextField>
  );
}

export interface BannerProps {
  readonly tone: 'danger' | 'wait' | 'good' | 'plain';
  readonly title?: string;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
}

/** Says what happened beside an icon; read out when it appears. */
export function Banner({ tone, title, children, action }: BannerProps) {
  return (
    <div className="banner" data-tone={tone} role={tone === 'danger' ? 'alert' : 'status'}>
      <Icon name={tone === 'good' ? 'check' : tone === 'plain' ? 'message' : 'warning'} size={18} />
      <div>
        {title !== undefined && <strong>{title}</strong>}
        {children !== undefined && <p>{children}</p>}
        {action}
      </div>
    </div>
  );
}

export interface TagProps {
  readonly tone: 'good' | 'wait' | 'danger' | 'plain';
  readonly icon?: IconName;
  readonly children: ReactNode;
}

export function Tag({ tone, icon, children }: TagProps) {
  return (
    <span className="tag" data-tone={tone}>
      {icon !== undefined && <Icon name={icon} size={14} />}
      {children}
    </span>
  );
}
