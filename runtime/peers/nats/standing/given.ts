import { LRUCache } from 'lru-cache';
import { toSealionError } from '#protocols/errors';
import type { ColumnOffer, OfferRefusal } from '../../peers.ts';
import type { ControlCodec } from '../control-codec.ts';
import { approvalFault } from '../offer-checks.ts';

interface Room {
  readonly columns: number;
  /** Nonces of the letters that have brought one; a letter that is sent again counts once. */
  readonly brought: Set<string>;
  /** Unix ms. */
  readonly expiresAt: number;
}

/** Standing approvals in use at a time; one that is forgotten counts as unused when it comes again. */
const MAX_KNOWN = 512;

/**
 * The secondary's check of the approval in the offer of a small column: one for this object, or a standing one, of which
 * each node of ours counts how many columns it has brought.
 */
export class GivenApprovals {
  readonly #codec: ControlCodec;
  readonly #rooms = new LRUCache<string, Room>({ max: MAX_KNOWN });

  constructor(codec: ControlCodec) {
    this.#codec = codec;
  }

  /** Undefined when the offer may bring its column; it counts then. @param nonce of its letter */
  use(offer: ColumnOffer, nonce: string): OfferRefusal | undefined {
    const { from, gvgId, redundancyIndex, approval } = offer;
    const name = `${from}/${gvgId}/${redundancyIndex}/${approval}`;
    const known = this.#rooms.get(name);
    if (known && known.expiresAt > Date.now()) return take(known, nonce);
    const fault = approvalFault(this.#codec, offer);
    if (fault?.code !== 'control-wrong-kind') return fault;
    try {
      const { columns, expiresAt } = this.#codec.checkStandingApproval(offer);
      const room = { columns, brought: new Set<string>(), expiresAt };
      this.#rooms.set(name, room);
      return take(room, nonce);
    } catch (error) {
      const { code, message } = toSealionError(error);
      return { code, reason: message, again: true };
    }
  }
}

function take({ columns, brought }: Room, nonce: string): OfferRefusal | undefined {
  if (brought.size < columns) brought.add(nonce);
  if (brought.has(nonce)) return undefined;
  return { code: 'approval-spent', reason: 'The standing approval is used up.', again: true };
}
