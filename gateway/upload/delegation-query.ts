import { Terminal } from '#protocols/errors';
import type { Visibility } from '#protocols/greenfield/types';
import type { GatewayContext } from '../request/context.ts';
import { checkNotEmpty, readBytes } from './lengths.ts';

/** A client's request that its primary announce an object for it (protocols/greenfield/README.md#uploads). */
export interface DelegationQuery {
  /** True for new content of an existing object. */
  readonly isUpdate: boolean;
  /** Bytes of the whole payload; 0 for a folder. */
  readonly payloadSize: number;
  readonly visibility: Visibility;
}

/** By the number on the wire. A missing parameter means 0, and 0 means the same as the chain's `INHERIT`. */
const VISIBILITIES: ReadonlyMap<string, Visibility> = new Map([
  ['', 'INHERIT'],
  ['0', 'INHERIT'],
  ['1', 'PUBLIC_READ'],
  ['2', 'PRIVATE'],
  ['3', 'INHERIT'],
]);

/**
 * Reads `is_update`, `payload_size` and `visibility`. Booleans have any form that Go's `strconv.ParseBool` accepts.
 * @throws Terminal 400/50010, 403/50016 for an empty payload
 */
export function readDelegation(c: GatewayContext): DelegationQuery {
  const { query } = c.get('target');
  const isUpdate = query.get('is_update') || 'false';
  if (!/^(?:true|t|1|false|f|0)$/i.test(isUpdate)) throw badQuery('is_update', 'neither true nor false');
  const payloadSize = readBytes(query.get('payload_size'));
  if (payloadSize === undefined) throw badQuery('payload_size', 'not a number of bytes');
  checkNotEmpty(payloadSize, 'An empty object has no payload.', 'Create it by POST with ?create-folder.');
  return {
    isUpdate: /^[t1]/i.test(isUpdate),
    payloadSize,
    visibility: readVisibility(c),
  };
}

/** Reads `visibility` only: a folder is always a new, empty object. @throws Terminal 400/50010 */
export function readFolder(c: GatewayContext): DelegationQuery {
  return { isUpdate: false, payloadSize: 0, visibility: readVisibility(c) };
}

function readVisibility(c: GatewayContext): Visibility {
  const visibility = VISIBILITIES.get(c.get('target').query.get('visibility') ?? '');
  if (visibility) return visibility;
  throw badQuery('visibility', 'not one of 0 (as the bucket), 1 (public), 2 (private) and 3 (as the bucket)');
}

function badQuery(name: string, what: string): Terminal {
  return new Terminal({
    code: 'bad-delegation',
    message: `The parameter "${name}" is ${what}.`,
    gatewayCode: 50010,
  });
}
