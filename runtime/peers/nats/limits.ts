const KIB = 1024;
const MIB = 1024 * KIB;

/** Bounds of the bytes in flight between SPs, in bytes (ARCHITECTURE.md#the-two-nats-planes). */
export interface FlowLimits {
  /** Credit that a receiver grants over one connection; a sender without credit gets one message more. */
  readonly credit: number;
  /** Part of it that one sending SP may hold. */
  readonly creditPerSender: number;
  /** Part of it that one stream may hold. */
  readonly creditPerStream: number;
  /** Bytes on their way to one SP, over all objects and nodes of that SP. */
  readonly inFlightPerReceiver: number;
  /** Largest body of a piece message; less where the server's `max_payload` asks for it. */
  readonly pieceMessage: number;
  /** Bytes per second below which a session is ended. */
  readonly minRate: number;
}

export const FLOW_LIMITS: FlowLimits = {
  credit: 32 * MIB,
  creditPerSender: 8 * MIB,
  creditPerStream: 4 * MIB,
  inFlightPerReceiver: 8 * MIB,
  pieceMessage: 512 * KIB,
  minRate: 16 * KIB,
};

/** A column of up to this length is sent within its offer; bytes. */
export const INLINE_COLUMN = 64 * KIB;

/** What a primary asks for at once, for each place in a group, instead of asking for each small column. */
export const STANDING = {
  columns: 256,
  /** How long a standing approval holds, ms: an SP that has no more room says so at the next one. */
  lifetimeMs: 300_000,
};

/** Bytes of `max_payload` left to the headers of a piece message. */
export const HEADER_ROOM = 4 * KIB;

/** Fetches of stored pieces answered concurrently, each of at most `MAX_FETCH_BYTES`: in all, and per requester. */
export const FETCHES_AT_ONCE = 32;
export const FETCHES_PER_ASKER = 8;

/** Ranges of one piece requested concurrently; two pieces of one SP together stay below its limit. */
export const FETCH_WINDOW = 4;
