import { LRUCache } from 'lru-cache';
import { toSealionError } from '#protocols/errors';
import type { ColumnOffer, OfferRefusal } from '../../peers.ts';
import type { ControlCodec } from '../control-codec.ts';
import { approvalFault } from '../offer-checks.ts';

interface Room {
  left: number;
  /** Unix ms. */
  readonly expiresAt: number;
}

/** Standing approvals in use at a time; one that is forgotten counts as unused when it comes again. */
const MAX_KNOWN = 4_096;

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

  /** Undefined when the offer may bring its column; it counts then. */
  use(offer: ColumnOffer): OfferRefusal | undefined {
    const { from, gvgId, redundancyIndex, approval } = offer;
    const name = `${from}/${gvgId}/${redundancyIndex}/${approval}`;
    const known = this.#rooms.get(name);
    if (known && known.expiresAt > Date.now()) return take(known);
    const fault = approvalFault(this.#codec, offer);
    if (fault?.code !== 'control-wrong-kind') return fault;
    try {
      const { columns, expiresAt } = this.#codec.checkStandingApproval(offer);
      const room = { left: columns, expiresAt };
      this.#rooms.set(name, room);
      return take(room);
    } catch (error) {
      const { code, message } = toSealionError(error);
      return { code, reason: message, again: true };
    }
  }
}

function take(room: Room): OfferRefusal | undefined {
  if (room.left === 0) {
    return { code: 'approval-spent', reason: 'The standing approval is used up.', again: true };
  }
  room.left -= 1;
  return undefined;
}
