import type { Supervision, SupervisionTable } from '#runtime/actors/types';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/**
 * For actors that the node cannot work without: every failure leads to a restart, without limit, after growing delays.
 * The tree shows the last error and the next try; ending the actor would only hide them.
 */
const PERMANENT: Supervision = {
  retryable: 'restart',
  terminal: 'restart',
  cancelled: 'restart',
  restarts: { limit: Number.MAX_SAFE_INTEGER, withinMs: 10 * MINUTE, beyond: 'stop' },
  backoff: { minMs: 100, maxMs: 30 * SECOND },
};

/** For actors whose children must not suffer from one bad message, which is answered with its error. */
const STEADY: Supervision = { ...PERMANENT, retryable: 'resume', terminal: 'resume', cancelled: 'resume' };

/** For actors that do one thing once: they end with the error, and their parent, which watches them, decides. */
const ONE_SHOT: Supervision = {
  retryable: 'stop',
  terminal: 'stop',
  cancelled: 'stop',
  restarts: { limit: 0, withinMs: MINUTE, beyond: 'stop' },
  backoff: { minMs: 0, maxMs: 0 },
};

/**
 * What each kind of error does to each kind of actor and to its parent (ARCHITECTURE.md#the-actor-tree): this table is
 * the whole policy.
 */
export const SUPERVISION: SupervisionTable = {
  /** Spawns one actor per object in work. */
  objects: STEADY,
  /** Owns one job. When it fails it returns its lease; the next owner recovers the job from the journal. */
  object: ONE_SHOT,
  /** The client's bytes arrive only once, so a failure cannot be retried here, only reported to the object actor. */
  uploader: ONE_SHOT,
  /** Its window can be filled again from the PieceStore; if that fails too, the replication fails. */
  encoder: {
    retryable: 'restart',
    terminal: 'escalate',
    cancelled: 'stop',
    restarts: { limit: 5, withinMs: MINUTE, beyond: 'escalate' },
    backoff: { minMs: 100, maxMs: 5 * SECOND },
  },
  /** The object actor decides what the failure of one column means for the group. */
  replicator: ONE_SHOT,
  sealer: ONE_SHOT,
  /** Pulls offers; the receivers report each failure to the sender. */
  receivers: PERMANENT,
  /** Tells the sender why the session ends; a new offer continues with the first missing piece. */
  receiver: ONE_SHOT,
  /** Writes back one repaired piece, and reports a failure to the requester itself. */
  restorer: ONE_SHOT,
  repairer: PERMANENT,
  /** Restores one piece or verifies one object, and reports a failure to the requesters itself. */
  repair: ONE_SHOT,
  approver: PERMANENT,
  signer: PERMANENT,
  announcer: PERMANENT,
  /** Reports a failure to the requester itself. */
  announcement: ONE_SHOT,
  jobs: PERMANENT,
  caretaker: PERMANENT,
};
