import { setTimeout as sleep } from 'node:timers/promises';
import { Terminal, throwIfAborted, toSealionError } from '#protocols/errors';
import { formatJobId } from '#protocols/job/identity';
import { withDeadline } from '#runtime/async/with-deadline';
import { type ChainStatus, chainStatusOf, type Gone } from '../seal/chain-status.ts';
import { finish } from './cleaning.ts';
import { logFailure, record, refuseClient, type Work } from './work.ts';

/** Time limit for asking the chain whether it still waits for a payload that has arrived, ms. */
const TIME_LIMIT_MS = 5_000;

/**
 * Asks the chain whether it still waits for what a client has just sent: nobody shall get 200 for content that was
 * cancelled meanwhile. A chain that does not answer costs no client its upload: the bytes are stored, what is not
 * known is only whether they are still wanted, and the job looks at the chain again before it does anything with them.
 * @returns why they are not wanted; undefined when they are, or nobody knows
 */
export async function askBeforeAnswer(work: Work, signal: AbortSignal): Promise<Gone | undefined> {
  try {
    const found = await withDeadline(TIME_LIMIT_MS, [signal], (bounded) => untilUpToDate(work, bounded));
    return found.kind === 'gone' ? found : undefined;
  } catch (thrown) {
    throwIfAborted(signal);
    logFailure(work, 'checking the chain before the answer', toSealionError(thrown));
    return undefined;
  }
}

/** What was announced a moment ago may be cancelled already: the word of our node counts from the next second on. */
async function untilUpToDate({ log, ports }: Work, signal: AbortSignal): Promise<ChainStatus> {
  for (;;) {
    try {
      return await chainStatusOf(log.context, ports.chain, signal);
    } catch (thrown) {
      if (toSealionError(thrown).code !== 'chain-behind') throw thrown;
      await sleep(ports.timing.chainPollMs, undefined, { signal });
    }
  }
}

/** The upload ends here, and leaves nothing. The client hears of it once that is persisted. */
export async function endUnwanted(work: Work, gone: Gone): Promise<void> {
  await record(work, { type: 'Discontinue', reason: gone.because });
  refuseClient(
    work,
    new Terminal({
      code: gone.code,
      message: `Object ${formatJobId(work.job)} no longer waits for this payload: ${gone.because}`,
      advice: 'Create the object, or update it, on chain again.',
      gatewayCode: gone.code === 'no-such-object' ? 20008 : 110002,
    }),
  );
  await finish(work);
}
