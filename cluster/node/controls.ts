import { setTimeout as sleep } from 'node:timers/promises';
import { toSealionError } from '#protocols/errors';
import { controlSubject, NodeControls, nodeAction } from '../admin/actions/node-controls.ts';
import type { Foundation } from './foundation.ts';
import { openLoop } from './loop.ts';
import { retryUntilUp } from './retry-until-up.ts';
import type { StartContext } from './start-context.ts';
import type { Work } from './work.ts';

/** Pause before calls are answered again after a failure, ms. */
const AGAIN_MS = 1_000;

/** Answers what operators tell this node, by whichever node they do so. */
export async function openControls(
  node: StartContext,
  { journal, home }: Foundation,
  { actors }: Work,
): Promise<NodeControls> {
  const { name, config, log, signal } = node;
  const hasOthers = config.journal.adapter === 'jetstream';
  const controls = new NodeControls({ node: name, ledger: journal.ledger, actors, hasOthers });
  await retryUntilUp('the ledger', () => controls.load(), { log, signal });
  await openLoop(node, 'controls', async (stopping) => {
    while (!stopping.aborted) {
      try {
        const answer = (asked: unknown) => controls.perform(nodeAction.parse(asked));
        await home.calls.serve(controlSubject(name), answer, { signal: stopping });
      } catch (thrown) {
        if (stopping.aborted) return;
        log.warn({ error: toSealionError(thrown) }, 'cannot answer operators at the moment');
        await sleep(AGAIN_MS, undefined, { signal: stopping }).catch(() => undefined);
      }
    }
  });
  return controls;
}
