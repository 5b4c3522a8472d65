import { Retryable, Terminal } from '#protocols/errors';
import { sameChecksums } from '#protocols/greenfield/content';
import type { Receipt } from '#protocols/job/context';
import { pieceKey } from '#protocols/payload/keys';
import type { ReceivedTask } from '#protocols/replication/receive-message';
import type { Activity } from '#runtime/actors/types';
import type { ColumnOffer } from '#runtime/peers/peers';
import type { SecondaryPorts } from '../ports.ts';
import { checkOffer, type Place } from './check-offer.ts';
import { agreed, StoredColumn } from './stored-column.ts';

/** A task that has passed all checks. */
export interface CheckedTask {
  readonly task: ReceivedTask;
  readonly offer: ColumnOffer;
  readonly place: Place;
}

/**
 * Checks a receive task of the HTTP wire in the order, and with the codes, of today's SPs
 * (protocols/replication/README.md#receive-tasks-over-http), but against the chain alone: what the task says of the
 * object must be what the chain says. We wait for our chain node only if the signer is a storage provider.
 * @throws as `checkOffer`
 */
export async function checkTask(
  task: ReceivedTask,
  ports: SecondaryPorts,
  signal: AbortSignal,
): Promise<CheckedTask> {
  const providers = await ports.chain.storageProviders({ signal });
  // a signer that is not an SP is not the primary of the group either, and is refused by that check
  const from = providers.find(({ operatorAddress }) => operatorAddress === task.signer)?.id ?? 0;
  const offer = { ...task, from, to: ports.spId, approval: '' };
  const { taskLagMs, taskPollMs: chainPollMs } = ports.timing;
  const timing = { chainLagMs: from === 0 ? 0 : taskLagMs, chainPollMs };
  const place = await checkOffer(offer, { ...ports, timing }, signal).catch((error: unknown) => {
    if (from !== 0) ports.counts.failed('columnsIn', from, 'http', error);
    throw error;
  });
  return { task, offer, place };
}

export interface TaskReceptionOptions extends CheckedTask {
  readonly ports: SecondaryPorts;
  readonly signal: AbortSignal;
  /** Asks for room for a column of which nothing is stored yet. @throws Retryable `column-refused` (60003) */
  admit(): Promise<void>;
  say(activity: Activity): void;
}

/** Handles a receive task: stores a piece, or signs for its column. Both can be repeated. */
export class TaskReception {
  readonly #options: TaskReceptionOptions;
  readonly #column: StoredColumn;

  constructor(options: TaskReceptionOptions) {
    const { task, ports, signal } = options;
    this.#options = options;
    this.#column = new StoredColumn(task, ports, signal);
  }

  /** Stores one piece. @throws Terminal `wrong-piece` (50009), `wrong-piece-checksum` (80004) */
  async piece(body: AsyncIterable<Uint8Array>): Promise<void> {
    const { task, offer, place, ports, signal, say, admit } = this.#options;
    const { segmentIndex, redundancyIndex, pieceChecksum } = task;
    checkPiece(task, place);
    const { checksums } = place.content;
    const known = await this.#column.known(place, checksums);
    const isOther = known?.held && known.held.pieceChecksums[segmentIndex] !== pieceChecksum;
    // A delegated upload may come again with other bytes: the chain does not say which.
    if (isOther && checksums.length > 0) {
      throw wrongChecksum(task, 'the column is finished, with other bytes');
    }
    if (!known) await admit();
    const key = pieceKey(task.job, segmentIndex, redundancyIndex);
    const lying = await ports.pieces.stat(key, { signal });
    if (!known || lying?.checksum !== pieceChecksum) await this.#column.open(offer.from, place, checksums);
    const standing = await ports.pieces.stat(key, { signal });
    // left by an earlier try, whose bytes the primary has replaced
    if (standing && standing.checksum !== pieceChecksum) await ports.pieces.delete(key, { signal });
    say({ doing: `receiving piece ${segmentIndex}`, waitsFor: `sp ${offer.from}` });
    const stored = await ports.pieces.put(key, body, { signal }).catch((error: unknown) => {
      if (!(error instanceof Terminal) || error.code !== 'piece-exists') throw error;
      throw wrongChecksum(task, 'the bytes received differ from those announced by the task');
    });
    if (stored.checksum === pieceChecksum) return;
    await ports.pieces.delete(key, { signal });
    throw wrongChecksum(task, `the bytes received have the checksum ${stored.checksum}`);
  }

  /**
   * Checks the column and signs for it.
   * @throws Retryable `pieces-missing` (80003); Terminal `integrity-mismatch` (80004), `checksums-differ` (50009)
   */
  async finish(): Promise<Receipt> {
    const { task, place, say } = this.#options;
    const checksums = agreed(task.checksums, place);
    say({ doing: 'checking the column and signing the receipt' });
    const { content } = place;
    const known = await this.#column.known(place, content.checksums);
    const held = known && (await this.#column.held(known, place));
    if (held && sameChecksums(held.checksums, checksums)) return this.#column.sign(known, held, place);
    // Pieces without a record, or of other content, do not count.
    const pieceChecksums = known ? await this.#column.pieces(place) : [];
    const { segmentCount } = place.plan;
    if (!known || pieceChecksums.length !== segmentCount) {
      throw new Retryable({
        code: 'pieces-missing',
        message: `Piece ${pieceChecksums.length} of ${segmentCount} is missing.`,
        advice: 'Send the piece, and then the end of the column again.',
        gatewayCode: 80003,
      });
    }
    return this.#column.sign(...this.#column.complete(known, pieceChecksums, checksums), place);
  }
}

function checkPiece({ segmentIndex, pieceSize }: ReceivedTask, { plan }: Place): void {
  if (segmentIndex < plan.segmentCount && pieceSize === plan.pieceLength(segmentIndex)) return;
  throw new Terminal({
    code: 'wrong-piece',
    message: `The object has no piece ${segmentIndex} of ${pieceSize} bytes.`,
    gatewayCode: 50009,
  });
}

function wrongChecksum({ segmentIndex }: ReceivedTask, why: string): Terminal {
  return new Terminal({
    code: 'wrong-piece-checksum',
    message: `Piece ${segmentIndex} is rejected: ${why}.`,
    gatewayCode: 80004,
  });
}
