/** A link within the console: an ordinary one for whoever opens it elsewhere, and no new page for whoever presses it here. */
import type { ReactNode } from 'react';
import { goTo } from './address.ts';

export interface LinkProps {
  readonly to: string;
  readonly children: ReactNode;
  readonly isHere?: boolean;
  readonly kind?: 'primary' | 'secondary';
}

export function Link({ to, children, isHere = false, kind }: LinkProps) {
  return (
    <a
      href={to}
      aria-current={isHere ? 'page' : undefined}
      {...(kind === undefined
        ? {}
        : { className: 'button', 'data-kind': kind, 'data-size': 'dense' })}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
        event.preventDefault();
        goTo(to);
      }}
    >
      {children}
    </a>
  );
}
