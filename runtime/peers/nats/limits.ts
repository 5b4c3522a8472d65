const KIB = 1024;
const MIB = 1024 * KIB;

/** Bounds of the bytes in flight between SPs, in bytes (ARCHITECTURE.md#the-two-nats-planes). */
export interface FlowLimits {
  /** Credit that a receiver has given out over one connection; whoever holds none gets a message's worth beyond it. */
  readonly credit: number;
  /** Part of it that one sending SP may hold. */
  readonly creditPerSender: number;
  /** Part of it that one stream may hold. */
  readonly creditPerStream: number;
  /** Bytes on their way to one SP, over all objects and nodes of that SP. */
  readonly inFlightPerReceiver: number;
  /** Largest body of a piece message; less where the server's `max_payload` asks for it. */
  readonly pieceMessage: number;
  /** Bytes a second below which a sender keeps a session for nothing. */
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

/** Bytes: a column of up to this length rides in its offer. */
export const INLINE_COLUMN = 64 * KIB;

/** Bytes of `max_payload` left to the headers of a piece message. */
export const HEADER_ROOM = 4 * KIB;

/** Fetches of stored pieces answered at one time, each of at most `MAX_FETCH_BYTES`: in all, and of one asker. */
export const FETCHES_AT_ONCE = 32;
export const FETCHES_PER_ASKER = 8;

/** Ranges of one piece that are asked for at one time; two pieces of one SP together stay below its bound. */
export const FETCH_WINDOW = 4;
