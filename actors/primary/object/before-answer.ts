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
 * Asks the chain whether it still waits for the payload that a client has just sent: nobody may get 200 for content that
 * was cancelled in the meantime. If the chain does not answer, the upload succeeds nevertheless: the bytes are stored,
 * and the job asks the chain again before it uses them.
 * @returns why the payload is no longer wanted; undefined when it is, or when the chain does not answer
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

/** Waits until the chain node has a block later than the announcement: before that, it may not know of it. */
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

/** Ends the job and deletes its segments. The client is answered once the end is persisted. */
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
