import type { Supervision, SupervisionTable } from '#runtime/actors/types';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/**
 * For actors that the node cannot be without: every failure is a restart, for ever, ever more slowly. The tree
 * shows the last error and the next try; ending for good would only hide them.
 */
const STANDING: Supervision = {
  retryable: 'restart',
  terminal: 'restart',
  cancelled: 'restart',
  restarts: { limit: Number.MAX_SAFE_INTEGER, withinMs: 10 * MINUTE, beyond: 'stop' },
  backoff: { minMs: 100, maxMs: 30 * SECOND },
};

/** For actors whose children must not suffer from one bad message: the message is answered with its error. */
const STEADY: Supervision = { ...STANDING, retryable: 'resume', terminal: 'resume', cancelled: 'resume' };

/** For actors that do one thing once: they end with the error, and their parent, which watches them, decides. */
const ONE_SHOT: Supervision = {
  retryable: 'stop',
  terminal: 'stop',
  cancelled: 'stop',
  restarts: { limit: 0, withinMs: MINUTE, beyond: 'stop' },
  backoff: { minMs: 0, maxMs: 0 },
};

/**
 * What each kind of error does to each kind of actor and to its parent (ARCHITECTURE.md#the-actor-tree): the whole policy, here and
 * nowhere else.
 */
export const SUPERVISION: SupervisionTable = {
  /** Spawns one actor per object in work. */
  objects: STEADY,
  /** Owns one job. When it fails it gives its lease back; who gets the lease next recovers the job from the journal. */
  object: ONE_SHOT,
  /** The client's bytes pass once: what breaks cannot be taken up again, only reported to the object actor. */
  uploader: ONE_SHOT,
  /** Its window can be filled again from the PieceStore; when that fails too, the replication does. */
  encoder: {
    retryable: 'restart',
    terminal: 'escalate',
    cancelled: 'stop',
    restarts: { limit: 5, withinMs: MINUTE, beyond: 'escalate' },
    backoff: { minMs: 100, maxMs: 5 * SECOND },
  },
  /** The object actor decides by the failure of one column what becomes of the group. */
  replicator: ONE_SHOT,
  sealer: ONE_SHOT,
  /** Pulls offers; their senders hear of each failure from the receiver itself. */
  receivers: STANDING,
  /** Tells the sender why the session ends; a new offer continues with the first missing piece. */
  receiver: ONE_SHOT,
  /** Writes back what was repaired; whoever asked for it hears of its failure from itself. */
  restorer: ONE_SHOT,
  repairer: STANDING,
  /** Makes one thing again, or verifies one object; its askers hear of its failure. */
  repair: ONE_SHOT,
  approver: STANDING,
  signer: STANDING,
  announcer: STEADY,
  /** Whoever asked for it hears of its failure from itself. */
  announcement: ONE_SHOT,
  jobs: STANDING,
  caretaker: STANDING,
};
