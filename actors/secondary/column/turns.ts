import { formatJobId } from '#protocols/job/identity';
import type { Behaviour, Context, Ended } from '#runtime/actors/types';
import type { ColumnId } from '../../ledger/column-record.ts';

/**
 * Assigns columns to actors: one actor works on a whole column, or several work on single pieces of it. The actors are
 * children of the owner of the turns.
 */
export class ColumnTurns<M> {
  readonly #ctx: Context<M>;
  /** Number of pieces in work, by column. */
  readonly #pieces = new Map<string, number>();

  constructor(ctx: Context<M>) {
    this.#ctx = ctx;
  }

  /** Starts an actor on the whole column. @returns false when somebody works on the column or a piece of it */
  startWhole<T>(column: ColumnId, behaviour: Behaviour<never, T>, onEnd: (end: Ended) => M): boolean {
    const name = nameOf(column);
    if (this.#ctx.child(name) || this.#pieces.has(name)) return false;
    this.#ctx.watch(this.#ctx.spawn(name, behaviour), onEnd);
    return true;
  }

  /**
   * Starts an actor on a single piece, whose end the owner reports by `endPiece`.
   * @returns false when somebody works on the whole column or this piece
   */
  startPiece<T>(
    column: ColumnId,
    segmentIndex: number,
    behaviour: Behaviour<never, T>,
    onEnd: (end: Ended) => M,
  ): boolean {
    const whole = nameOf(column);
    const name = `${whole}/${segmentIndex}`;
    if (this.#ctx.child(whole) || this.#ctx.child(name)) return false;
    this.#ctx.watch(this.#ctx.spawn(name, behaviour), onEnd);
    this.#pieces.set(whole, (this.#pieces.get(whole) ?? 0) + 1);
    return true;
  }

  endPiece(column: ColumnId): void {
    const name = nameOf(column);
    const pieces = (this.#pieces.get(name) ?? 1) - 1;
    if (pieces > 0) this.#pieces.set(name, pieces);
    else this.#pieces.delete(name);
  }

  /** Stops the actor on the whole column. @returns undefined when there is none, or resolves when it has stopped */
  stopWhole(column: ColumnId): Promise<void> | undefined {
    const child = this.#ctx.child<never>(nameOf(column));
    return child && this.#ctx.stop(child);
  }
}

function nameOf({ job, redundancyIndex }: ColumnId): string {
  return `receiver/${formatJobId(job)}/${redundancyIndex}`;
}
