/**
 * The kinds of action that a customer can be asked to approve: which members each has, and what he is shown, as a versioned template a
 * language. A change of a member or a text is a new version: receipts name the one that was signed.
 */

/** What a member may hold. Every text is held to domain/text-flaws.ts. */
export type Member =
  /** A decimal of the currency that stands beside it. */
  | { readonly kind: 'amount' }
  | { readonly kind: 'currency' }
  | { readonly kind: 'text'; readonly maxLength: number; readonly isOptional?: true }
  /** An account number as the payee's bank writes it; an IBAN has its check digits judged. */
  | { readonly kind: 'account' }
  | { readonly kind: 'one_of'; readonly values: readonly string[] }
  | { readonly kind: 'object'; readonly members: Members };

export type Members = { readonly [name: string]: Member };

export interface Template {
  /** What happens, in one line; `{payee.name}` is that member, `{requester}` who asks. */
  readonly title: string;
  /** Shown one below the other; a part whose optional member is not there is left out. */
  readonly fields: readonly { readonly label: string; readonly value: string }[];
}

export interface ActionType {
  readonly version: number;
  readonly members: Members;
  /** By language (BCP 47, primary subtag). English is always there. */
  readonly templates: { readonly en: Template; readonly [language: string]: Template };
}

export type ActionTypes = { readonly [type: string]: ActionType };

const payee: Member = {
  kind: 'object',
  members: { name: { kind: 'text', maxLength: 70 }, account: { kind: 'account' } },
};
const money: Members = { amount: { kind: 'amount' }, currency: { kind: 'currency' } };

export const ACTION_TYPES = {
  payment: {
    // 2: amounts with their thousands apart.
    version: 2,
    members: { ...money, payee, reference: { kind: 'text', maxLength: 40, isOptional: true } },
    templates: {
      en: {
        title: 'Pay {amount} {currency} to {payee.name}',
        fields: [
          { label: 'Amount', value: '{amount} {currency}' },
          { label: 'To', value: '{payee.name}' },
          { label: 'Account', value: '{payee.account}' },
          { label: 'Reference', value: '{reference}' },
        ],
      },
      de: {
        title: '{amount} {currency} an {payee.name} zahlen',
        fields: [
          { label: 'Betrag', value: '{amount} {currency}' },
          { label: 'An', value: '{payee.name}' },
          { label: 'Konto', value: '{payee.account}' },
          { label: 'Verwendungszweck', value: '{reference}' },
        ],
      },
    },
  },
  add_payee: {
    version: 1,
    members: { payee },
    templates: {
      en: {
        title: 'Add {payee.name} to the people you pay',
        fields: [
          { label: 'Payee', value: '{payee.name}' },
          { label: 'Account', value: '{payee.account}' },
        ],
      },
      de: {
        title: '{payee.name} als Empfänger hinzufügen',
        fields: [
          { label: 'Empfänger', value: '{payee.name}' },
          { label: 'Konto', value: '{payee.account}' },
        ],
      },
    },
  },
  change_limits: {
    // 2: amounts with their thousands apart.
    version: 2,
    members: {
      limit: { kind: 'text', maxLength: 60 },
      to: { kind: 'object', members: money },
    },
    templates: {
      en: {
        title: 'Change your limit to {to.amount} {to.currency}',
        fields: [
          { label: 'Limit', value: '{limit}' },
          { label: 'New limit', value: '{to.amount} {to.currency}' },
        ],
      },
      de: {
        title: 'Ihr Limit auf {to.amount} {to.currency} ändern',
        fields: [
          { label: 'Limit', value: '{limit}' },
          { label: 'Neues Limit', value: '{to.amount} {to.currency}' },
        ],
      },
    },
  },
  change_contact: {
    version: 1,
    members: {
      channel: { kind: 'one_of', values: ['phone', 'email', 'address'] },
      to: { kind: 'text', maxLength: 120 },
    },
    templates: {
      en: {
        title: 'Change how the bank reaches you',
        fields: [
          { label: 'What changes', value: '{channel}' },
          { label: 'New', value: '{to}' },
        ],
      },
      de: {
        title: 'Ändern, wie die Bank Sie erreicht',
        fields: [
          { label: 'Was sich ändert', value: '{channel}' },
          { label: 'Neu', value: '{to}' },
        ],
      },
    },
  },
  log_in: {
    version: 1,
    members: { app: { kind: 'text', maxLength: 60 } },
    templates: {
      en: { title: 'Log in to {app}', fields: [{ label: 'App', value: '{app}' }] },
      de: { title: 'Bei {app} anmelden', fields: [{ label: 'App', value: '{app}' }] },
    },
  },
  verified_call: {
    version: 1,
    members: {
      agent: { kind: 'text', maxLength: 60 },
      case: { kind: 'text', maxLength: 40 },
    },
    templates: {
      en: {
        title: 'You are speaking to the bank: {agent}, case {case}. If not, hang up.',
        fields: [
          { label: 'Agent', value: '{agent}' },
          { label: 'Case', value: '{case}' },
        ],
      },
      de: {
        title: 'Sie sprechen mit der Bank: {agent}, Vorgang {case}. Wenn nicht, legen Sie auf.',
        fields: [
          { label: 'Mitarbeiter', value: '{agent}' },
          { label: 'Vorgang', value: '{case}' },
        ],
      },
    },
  },
} as const satisfies ActionTypes;

/** JSON Schema (2020-12) of each built-in type, by the name of its file in docs/actions/; readAction() is stricter where a schema cannot say it. */
export function actionSchemas(): [file: string, schema: string][] {
  return Object.entries(ACTION_TYPES).map(([name, type]) => [
    `${name}.v${String(type.version)}.json`,
    `${JSON.stringify(schemaOf(name, type), null, 2)}\n`,
  ]);
}

function schemaOf(name: string, { members, version }: ActionType): object {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: `${name}, version ${String(version)}`,
    ...objectSchema(members, { type: { const: name } }),
  };
}

function objectSchema(members: Members, before: object = {}): object {
  const entries = Object.entries(members);
  const required = entries.filter(([, member]) => !isOptional(member)).map(([name]) => name);
  return {
    type: 'object',
    properties: {
      ...before,
      ...Object.fromEntries(entries.map(([name, member]) => [name, memberSchema(member)])),
    },
    required: [...Object.keys(before), ...required],
    additionalProperties: false,
  };
}

function memberSchema(member: Member): object {
  switch (member.kind) {
    case 'amount':
      return { type: 'string', pattern: '^(0|[1-9][0-9]{0,11})(\\.[0-9]{1,3})?$' };
    case 'currency':
      return { type: 'string', pattern: '^[A-Z]{3}$' };
    case 'text':
      return { type: 'string', minLength: 1, maxLength: member.maxLength };
    case 'account':
      return { type: 'string', pattern: '^[A-Z0-9][A-Z0-9-]{2,38}[A-Z0-9]$' };
    case 'one_of':
      return { enum: [...member.values] };
    case 'object':
      return objectSchema(member.members);
  }
}

export function isOptional(member: Member): boolean {
  return member.kind === 'text' && member.isOptional === true;
}
