/** What the console's pages share: how something is shown that is asked for, stale, refused or not there, and what a change has done. */
import { useEffect, useRef } from 'react';
import type { ReactNode } from 'react';
import { Icon } from '../parts/icons.tsx';
import { Banner, Button, Spinner } from '../parts/parts.tsx';
import { ago, fullTimeOf, momentOf, useNow } from '../parts/time.ts';
import { consoleTexts as words } from './console-texts.ts';
import type { StaffApi } from './staff-api.ts';
import type { Me } from './door.ts';
import type { Shown } from './use-told.ts';

/** What every page of a logged-in member of the staff is given. */
export interface PageProps {
  readonly api: StaffApi;
  readonly me: Me;
  /** The session ended meanwhile. */
  readonly onLost: () => void;
  /** The door refused what the page offered: who one is may have changed. */
  readonly onRefused: () => void;
}

export const mayServe = ({ roles }: Me): boolean =>
  roles.includes('agent') || roles.includes('supervisor');
export const maySupervise = ({ roles }: Me): boolean => roles.includes('supervisor');

/** The value as soon as there is one; above it, why it may be old, or in its place, why there is none. */
export function Told<Value>({
  shown,
  forbidden,
  children,
}: {
  readonly shown: Shown<Value>;
  readonly forbidden: string;
  readonly children: (value: Value) => ReactNode;
}) {
  const { value, trouble } = shown;
  const nowMs = useNow();
  if (trouble?.kind === 'refused') {
    const isRole = trouble.code === 'staff_role_missing';
    return (
      <p className="closed">
        <Icon name="shield" size={16} />
        {isRole ? forbidden : (words.refusals[trouble.code] ?? trouble.title)}
      </p>
    );
  }
  if (value === undefined && trouble?.kind === 'silent')
    return (
      <Banner
        tone="wait"
        title={words.silent.title}
        action={
          <Button size="dense" isBusy={shown.isBusy} onPress={shown.refresh}>
            {words.silent.again}
          </Button>
        }
      >
        {words.silent.text}
      </Banner>
    );
  if (value === undefined)
    return (
      <p className="nothing" aria-busy="true">
        <Spinner /> {words.loading}
      </p>
    );
  return (
    <>
      {trouble?.kind === 'silent' && (
        <Banner tone="wait">{words.stale(ago(shown.atMs, nowMs))}</Banner>
      )}
      {children(value)}
    </>
  );
}

/** What has happened, where the focus goes: the button that asked for it may be gone. */
export function Done({ said }: { readonly said: string }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    place.current?.focus();
  }, [said]);
  return (
    <div ref={place} className="done" tabIndex={-1}>
      <Banner tone="good">{said}</Banner>
    </div>
  );
}

export function Moment({ iso }: { readonly iso: string }) {
  const nowMs = useNow(30_000);
  return (
    <time dateTime={iso} title={fullTimeOf(iso)}>
      {momentOf(iso, nowMs)}
    </time>
  );
}

export function Ago({ iso }: { readonly iso: string }) {
  const nowMs = useNow();
  return (
    <time dateTime={iso} title={fullTimeOf(iso)}>
      {ago(new Date(iso).getTime(), nowMs)}
    </time>
  );
}

/** A button that says why it cannot be pressed. */
export function Allowed({
  act,
  onPress,
  because,
  kind = 'secondary',
}: {
  readonly act: string;
  readonly onPress: () => void;
  /** Why not; undefined when it may be done. */
  readonly because: string | undefined;
  readonly kind?: 'primary' | 'secondary' | 'danger';
}) {
  return (
    <span className="allowed">
      <Button size="dense" kind={kind} isDisabled={because !== undefined} onPress={onPress}>
        {act}
      </Button>
      {because !== undefined && <small>{because}</small>}
    </span>
  );
}
