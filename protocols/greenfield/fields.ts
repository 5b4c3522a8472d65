import { utf8ToBytes } from '@noble/hashes/utils.js';
import { Terminal } from '../errors.ts';
import { hexToBase64, toHex } from './hex.ts';
import type { TypedMember, TypedStructs, TypedValue } from './typed-data.ts';
import type { Hex } from './types.ts';

/**
 * One protobuf type of a chain message, in its three shapes: our plain value, the JSON of the generated codec,
 * and a member of the EIP-712 document (protocols/greenfield/README.md#eip-712).
 */
export interface Field<T> {
  toJson(value: T): unknown;
  fromJson(json: unknown): T;
  /** undefined: the chain leaves this value out of the document. `struct` is the name a nested struct gets. */
  typed(value: T, struct: string): TypedField | undefined;
}

export interface TypedField {
  readonly type: string;
  readonly value: TypedValue;
  readonly structs?: TypedStructs;
}

/** The fields of a message by their camel-case names. */
export type Fields = Readonly<Record<string, Field<unknown>>>;

/** Our plain form of a message. */
export type ValuesOf<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never;
};

export const string: Field<string> = {
  toJson: (value) => value,
  fromJson: (json) => json as string,
  typed: (value) => ({ type: 'string', value }),
};

export const uint32: Field<number> = {
  toJson: (value) => value,
  fromJson: (json) => json as number,
  typed: (value) => ({ type: 'uint32', value }),
};

export const uint64: Field<bigint> = {
  toJson: (value) => value.toString(),
  fromJson: (json) => BigInt(json as string),
  typed: (value) => ({ type: 'uint64', value }),
};

export const bytes: Field<Hex> = {
  toJson: hexToBase64,
  fromJson: (json) => base64ToHex(json as string),
  typed: (value) => (value === '' ? undefined : { type: 'bytes', value: typedBytes(value) }),
};

export const bytesList: Field<readonly Hex[]> = {
  toJson: (value) => value.map(hexToBase64),
  fromJson: (json) => (json as readonly string[]).map(base64ToHex),
  typed: (value) => (value.length === 0 ? undefined : { type: 'bytes[]', value: value.map(typedBytes) }),
};

/** @param names our names, each with its name on the wire */
export function enumeration<T extends string>(names: Readonly<Record<T, string>>): Field<T> {
  const ours = new Map(Object.entries<string>(names).map(([name, wire]) => [wire, name as T]));
  return {
    toJson: (value) => names[value],
    fromJson: (json) => {
      const name = ours.get(json as string);
      if (name !== undefined) return name;
      throw new Terminal({ code: 'bad-message', message: `The message contains an unknown enum value.` });
    },
    typed: (value) => ({ type: 'string', value: names[value] }),
  };
}

/** Unix ms; undefined where the sender sets no time. The document has it as text, an empty one for none. */
export const timestamp: Field<number | undefined> = {
  toJson: (value) => (value === undefined ? undefined : new Date(value).toISOString()),
  fromJson: (json) => (json === undefined ? undefined : Date.parse(json as string)),
  typed: (value) => ({
    type: 'string',
    value: value === undefined ? '' : new Date(value).toISOString().replace(/\.000Z$/, 'Z'),
  }),
};

/** A signed 64-bit number. */
export const int64: Field<bigint> = {
  ...uint64,
  typed: (value) => ({ type: 'int64', value }),
};

/** Several texts or enum values. The chain leaves an empty list out of the document. */
export function list<T>(field: Field<T>): Field<readonly T[]> {
  return {
    toJson: (value) => value.map(field.toJson),
    fromJson: (json) => (json as readonly unknown[]).map(field.fromJson),
    typed: (value, struct) => {
      const items = value.map((item) => field.typed(item, struct));
      const [first] = items;
      if (!first) return undefined;
      return { type: `${first.type}[]`, value: items.map((item) => item?.value ?? '') };
    },
  };
}

/**
 * Several messages in a message. The chain takes the members of the document from the first of them.
 * @param empty whether an empty list is left out, or `kept` as a list of texts: the chain does that where its code
 *   does not say `omitempty`
 */
export function nestedList<F extends Fields>(
  fields: F,
  empty: 'omitted' | 'kept' = 'omitted',
): Field<readonly ValuesOf<F>[]> {
  return {
    toJson: (value) => value.map((item) => fieldsToJson(fields, item)),
    fromJson: (json) => (json as readonly unknown[]).map((item) => fieldsFromJson(fields, item)),
    typed: (value, struct) => {
      const items = value.map((item) => typedFields(fields, item, struct));
      const [first] = items;
      if (!first) return empty === 'kept' ? { type: 'string[]', value: [] } : undefined;
      return {
        type: `${struct}[]`,
        value: items.map(({ values }) =>
          Object.fromEntries(first.members.map(({ name, type }) => [name, values[name] ?? emptyOf(type)])),
        ),
        structs: { ...first.structs, [struct]: first.members },
      };
    },
  };
}

/** What stands in the document where a later message of a list lacks what the first one has. */
function emptyOf(type: string): TypedValue {
  return type.endsWith('[]') ? [] : '';
}

/** A message in a message; undefined where the sender left it out. */
export function nested<F extends Fields>(fields: F): Field<ValuesOf<F> | undefined> {
  return {
    toJson: (value) => (value === undefined ? undefined : fieldsToJson(fields, value)),
    fromJson: (json) => (json === undefined ? undefined : fieldsFromJson(fields, json)),
    typed: (value, struct) => {
      if (value === undefined) return undefined;
      const { members, values, structs } = typedFields(fields, value, struct);
      return { type: struct, value: values, structs: { ...structs, [struct]: members } };
    },
  };
}

export function fieldsToJson<F extends Fields>(fields: F, values: ValuesOf<F>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [name, field.toJson(values[name])]),
  );
}

export function fieldsFromJson<F extends Fields>(fields: F, json: unknown): ValuesOf<F> {
  const values = json as Readonly<Record<string, unknown>>;
  const entries = Object.entries(fields).map(([name, field]) => [name, field.fromJson(values[name])]);
  return Object.fromEntries(entries) as ValuesOf<F>;
}

/** The members of a message in the EIP-712 document, by their snake-case names. */
export function typedFields<F extends Fields>(
  fields: F,
  values: ValuesOf<F>,
  structPrefix: string,
): { members: TypedMember[]; values: Record<string, TypedValue>; structs: TypedStructs } {
  const members: TypedMember[] = [];
  const typedValues: Record<string, TypedValue> = {};
  let structs: TypedStructs = {};
  for (const [camelCase, field] of Object.entries(fields)) {
    const typed = field.typed(values[camelCase], structPrefix + pascalCase(camelCase));
    if (typed === undefined) continue;
    const name = snakeCase(camelCase);
    members.push({ name, type: typed.type });
    typedValues[name] = typed.value;
    structs = { ...structs, ...typed.structs };
  }
  return { members, values: typedValues, structs };
}

/** The chain signs the text of the base64, not the bytes. */
function typedBytes(hex: Hex): Uint8Array {
  return utf8ToBytes(hexToBase64(hex));
}

function base64ToHex(base64: string): Hex {
  return toHex(Buffer.from(base64, 'base64'));
}

function snakeCase(camelCase: string): string {
  return camelCase.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function pascalCase(camelCase: string): string {
  return camelCase.charAt(0).toUpperCase() + camelCase.slice(1);
}
