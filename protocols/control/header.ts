import { z } from 'zod';
import { keccak256 } from '../greenfield/keccak.ts';
import { sortedJson } from '../greenfield/sorted-json.ts';
import type { JobId } from '../job/identity.ts';
import { CONTROL_BODIES, type ControlKind } from './bodies.ts';

/** What a control message speaks of. */
export interface ControlSubject {
  readonly job: JobId;
  /** 0 in asks and approvals, which speak of several groups. */
  readonly gvgId: number;
  /** 0 in asks and approvals. */
  readonly redundancyIndex: number;
}

/** The signed header of a control message between SPs (ARCHITECTURE.md#the-two-nats-planes). */
export interface ControlHeader<K extends ControlKind = ControlKind> extends ControlSubject {
  readonly kind: K;
  readonly chainId: string;
  /** Sp id of the sender. */
  readonly from: number;
  /** Sp id of the receiver; `EVERYBODY` in an ask. */
  readonly to: number;
  /** Unix ms. */
  readonly issuedAt: number;
  /** Unix ms; at most `MAX_CONTROL_LIFETIME_MS` after `issuedAt`. */
  readonly expiresAt: number;
  /** 16 random bytes, hex. Whoever acts on a message only once remembers (from, nonce) until `expiresAt`. */
  readonly nonce: string;
}

/** Receiver of an ask: every SP that is listed in it. No SP has this id. */
export const EVERYBODY = 0;

/** The header as it stands on the wire. */
export const wireHeader = z.strictObject({
  chain_id: z.string().max(48),
  from: z.int().positive(),
  to: z.int().nonnegative(),
  kind: z.enum(Object.keys(CONTROL_BODIES) as [ControlKind, ...ControlKind[]]),
  object_id: z.string().regex(/^[1-9][0-9]{0,77}$/),
  version: z.int().nonnegative(),
  gvg_id: z.int().nonnegative(),
  redundancy_index: z.int().min(0).max(255),
  /** keccak256 of the body's sorted JSON, hex. */
  body_hash: z.string().regex(/^[0-9a-f]{64}$/),
  issued: z.int().positive(),
  expires: z.int().positive(),
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
});
export type WireHeader = z.infer<typeof wireHeader>;

export function toWireHeader(header: ControlHeader, bodyHash: string): WireHeader {
  return {
    chain_id: header.chainId,
    from: header.from,
    to: header.to,
    kind: header.kind,
    object_id: header.job.objectId,
    version: header.job.version,
    gvg_id: header.gvgId,
    redundancy_index: header.redundancyIndex,
    body_hash: bodyHash,
    issued: header.issuedAt,
    expires: header.expiresAt,
    nonce: header.nonce,
  };
}

export function fromWireHeader(wire: WireHeader): ControlHeader {
  return {
    kind: wire.kind,
    chainId: wire.chain_id,
    from: wire.from,
    to: wire.to,
    job: { objectId: wire.object_id, version: wire.version },
    gvgId: wire.gvg_id,
    redundancyIndex: wire.redundancy_index,
    issuedAt: wire.issued,
    expiresAt: wire.expires,
    nonce: wire.nonce,
  };
}

/**
 * The 32 bytes that the operator key signs. The type in front keeps the signature from being one of another
 * document that the same key signs.
 */
export function controlDigest(header: WireHeader): Uint8Array {
  return keccak256(sortedJson({ type: 'sealion/ControlMessage', value: header }));
}
