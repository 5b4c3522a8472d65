import { enumeration, type Fields } from './fields.ts';

/** What the generated codecs have in common. */
interface ProtoCodec<M> {
  encode(message: M): { finish(): Uint8Array };
  decode(bytes: Uint8Array): M;
  fromJSON(json: unknown): M;
  toJSON(message: M): unknown;
}

/** One row of the table of messages: see `MESSAGE_TYPES`. */
export interface MessageType<F extends Fields = Fields> {
  readonly codec: ProtoCodec<unknown>;
  /** The field that names the account which must sign. */
  readonly signer: string;
  /** Fixed gas by default; governance can change it. */
  readonly gas: number;
  readonly fields: F;
}

export function messageType<M, F extends Fields>(
  codec: ProtoCodec<M>,
  signer: keyof F & string,
  gas: number,
  fields: F,
): MessageType<F> {
  return { codec, signer, gas, fields };
}

export const visibility = enumeration({
  UNSPECIFIED: 'VISIBILITY_TYPE_UNSPECIFIED',
  PUBLIC_READ: 'VISIBILITY_TYPE_PUBLIC_READ',
  PRIVATE: 'VISIBILITY_TYPE_PRIVATE',
  INHERIT: 'VISIBILITY_TYPE_INHERIT',
});
