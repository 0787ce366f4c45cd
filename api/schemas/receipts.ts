/** Receipts as they leave: the file itself, word for word, and the keys that verify it. docs/receipts.md gives every member. */
import { Type } from 'typebox';

const Time = Type.String({ format: 'date-time' });

export const ReceiptKeyList = Type.Object({
  issuer: Type.String({ format: 'uri' }),
  keys: Type.Array(
    Type.Object({
      kty: Type.Literal('EC'),
      crv: Type.Literal('P-256'),
      x: Type.String(),
      y: Type.String(),
      kid: Type.String({ description: 'The key’s thumbprint (RFC 7638).' }),
      use: Type.Literal('sig'),
      alg: Type.Literal('ES256'),
      validFrom: Time,
      validUntil: Type.Union([Time, Type.Null()], { description: 'null: it signs now.' }),
    }),
  ),
});

/** Members beyond these are part of it: what was signed is answered whole. */
export const ReceiptView = Type.Object(
  {
    type: Type.Literal('latchkey-receipt'),
    version: Type.Literal(1),
    receiptId: Type.String(),
    stepUpId: Type.String(),
    signature: Type.String({ description: 'Compact JWS by a receipt key of the bank.' }),
  },
  { additionalProperties: true, description: 'The receipt’s file; docs/receipts.md.' },
);

export const ReceiptQuery = Type.Object(
  {
    text: Type.Optional(
      Type.Union([Type.Literal('whole'), Type.Literal('withheld')], {
        description: 'withheld: a copy without personal text, to be given away.',
      }),
    ),
  },
  { additionalProperties: false },
);
