/** Temporal's remote codec protocol: payloads in, the same payloads out, opened or as they came. */
import { Type } from 'typebox';
import type { Static } from 'typebox';

/** A page of the UI asks for one event at a time, a history of ours holds about a hundred. */
const MAX_PAYLOADS = 1_000;

/** The JSON form of `temporal.api.common.v1.Payload`: bytes as base64. */
const PayloadJson = Type.Object({
  metadata: Type.Optional(Type.Record(Type.String({ maxLength: 64 }), Type.String())),
  data: Type.Optional(Type.String()),
});
export type PayloadJson = Static<typeof PayloadJson>;

export const Payloads = Type.Object({
  payloads: Type.Array(PayloadJson, { maxItems: MAX_PAYLOADS }),
});
