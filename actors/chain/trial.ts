import { throwIfAborted } from '#protocols/errors';
import { fromHex } from '#protocols/greenfield/hex';
import { expectedSequence, type Simulation, simulationOf } from '#protocols/greenfield/simulation';
import type { SignedTransaction } from '#protocols/greenfield/transaction';
import { withDeadline } from '#runtime/async/with-deadline';
import type { Chain } from '#runtime/chain/chain';

/** Time limit for the answer of the chain node, ms. */
const TIME_LIMIT_MS = 3_000;

/**
 * Simulates a transaction, ignoring its sequence. A simulation is free, while a transaction that fails in a block costs
 * its fee. The real node checks the sequence of a simulation against its pending transactions; if it expects another
 * one, the simulation is repeated with that.
 * @returns undefined when the node does not answer: that must not delay the transaction
 */
export async function tryOut(
  { bytes, sequence }: SignedTransaction,
  chain: Pick<Chain, 'simulate'>,
  signal: AbortSignal,
): Promise<Simulation | undefined> {
  const transaction = fromHex(bytes);
  try {
    return await withDeadline(TIME_LIMIT_MS, [signal], async (bounded) => {
      const ask = (as: number) => chain.simulate(simulationOf(transaction, as), { signal: bounded });
      const first = await ask(sequence);
      const expected = first.kind === 'refused' ? expectedSequence(first) : undefined;
      if (expected === undefined) return first;
      const second = await ask(expected);
      return second.kind === 'refused' && expectedSequence(second) !== undefined ? undefined : second;
    });
  } catch {
    throwIfAborted(signal);
    return undefined;
  }
}
