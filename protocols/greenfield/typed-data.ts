import { concatBytes } from '@noble/hashes/utils.js';
import { Terminal } from '../errors.ts';
import { keccak256 } from './keccak.ts';

export interface TypedMember {
  readonly name: string;
  readonly type: string;
}

/** Member lists by struct name. Greenfield sorts the members of every struct by name. */
export type TypedStructs = Readonly<Record<string, readonly TypedMember[]>>;

/** `bytes` values are Uint8Array, integers number or bigint, structs objects by member name. */
export type TypedValue =
  | string
  | number
  | bigint
  | Uint8Array
  | readonly TypedValue[]
  | { readonly [member: string]: TypedValue };

/** A document of EIP-712 (version V4), with the part of its types that Greenfield's transactions use. */
export interface TypedData {
  readonly types: TypedStructs;
  readonly primaryType: string;
  readonly domain: Readonly<Record<string, TypedValue>>;
  readonly message: Readonly<Record<string, TypedValue>>;
}

/** The 32-byte digest that an account signs. @throws Terminal `bad-typed-data` */
export function hashTypedData(data: TypedData): Uint8Array {
  return keccak256(
    concatBytes(
      Uint8Array.of(0x19, 0x01),
      hashStruct(data.types, 'EIP712Domain', data.domain),
      hashStruct(data.types, data.primaryType, data.message),
    ),
  );
}

/** `hashStruct` of EIP-712. @throws Terminal `bad-typed-data` when a member is missing or has another type */
export function hashStruct(types: TypedStructs, name: string, value: TypedValue): Uint8Array {
  if (typeof value !== 'object' || value instanceof Uint8Array || isList(value)) {
    throw mismatch(name, value);
  }
  const members = membersOf(types, name).map((member) => {
    const held = value[member.name];
    if (held === undefined) throw badTypedData(`${name}.${member.name} is missing`);
    return encodeValue(types, member.type, held);
  });
  return keccak256(concatBytes(keccak256(encodeType(types, name)), ...members));
}

/** `encodeType` of EIP-712: the struct itself, then all that it refers to, by name. */
export function encodeType(types: TypedStructs, name: string): string {
  const referred = new Set<string>();
  collect(types, name, referred);
  referred.delete(name);
  return [name, ...[...referred].sort()]
    .map((struct) => {
      const members = membersOf(types, struct).map((member) => `${member.type} ${member.name}`);
      return `${struct}(${members.join(',')})`;
    })
    .join('');
}

function collect(types: TypedStructs, name: string, into: Set<string>): void {
  if (into.has(name)) return;
  into.add(name);
  for (const { type } of membersOf(types, name)) {
    const element = type.replace(/\[\]$/, '');
    if (types[element]) collect(types, element, into);
  }
}

function encodeValue(types: TypedStructs, type: string, value: TypedValue): Uint8Array {
  if (type.endsWith('[]')) {
    if (typeof value !== 'object' || !isList(value)) throw mismatch(type, value);
    const element = type.slice(0, -2);
    return keccak256(concatBytes(...value.map((item) => encodeValue(types, element, item))));
  }
  if (types[type]) return hashStruct(types, type, value);
  if (type === 'string' && typeof value === 'string') return keccak256(value);
  if (type === 'bytes' && value instanceof Uint8Array) return keccak256(value);
  if (
    /^(?:uint(?:32|64|256)|int64)$/.test(type) &&
    (typeof value === 'bigint' || typeof value === 'number')
  ) {
    return encodeInteger(type, BigInt(value));
  }
  throw mismatch(type, value);
}

function encodeInteger(type: string, value: bigint): Uint8Array {
  const bits = Number(type.replace(/^u?int/, ''));
  const fits = type.startsWith('u') ? BigInt.asUintN(bits, value) : BigInt.asIntN(bits, value);
  if (value !== fits) throw mismatch(type, value);
  return Uint8Array.from(Buffer.from(BigInt.asUintN(256, value).toString(16).padStart(64, '0'), 'hex'));
}

function membersOf(types: TypedStructs, name: string): readonly TypedMember[] {
  const members = types[name];
  if (!members) throw badTypedData(`struct ${name} is not defined`);
  return members;
}

function isList(value: object): value is readonly TypedValue[] {
  return Array.isArray(value);
}

function mismatch(type: string, value: TypedValue): Terminal {
  return badTypedData(`a value of type ${typeof value} cannot be encoded as ${type}`);
}

function badTypedData(why: string): Terminal {
  return new Terminal({ code: 'bad-typed-data', message: `The EIP-712 document is inconsistent: ${why}.` });
}
