/** The English catalogue. Another locale is another object of the same type. */
import { approvals, pay } from './en/approvals.ts';
import { behind } from './en/behind.ts';
import { freeze } from './en/freeze.ts';
import { parts } from './en/parts.ts';
import { phone } from './en/phone.ts';
import { problems } from './en/problems.ts';
import { recovery } from './en/recovery.ts';
import { sessions } from './en/sessions.ts';
import { stage } from './en/stage.ts';

export const en = {
  approvals,
  behind,
  freeze,
  parts,
  pay,
  phone,
  problems,
  recovery,
  sessions,
  stage,
};
