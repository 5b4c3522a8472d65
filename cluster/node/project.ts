import { setTimeout as sleep } from 'node:timers/promises';
import { toSealionError } from '#protocols/errors';
import type { Roles } from '#runtime/jobs/roles';
import { type ProjectorOptions, runProjector } from '#runtime/records/projector';

/** One node writes the projection into an SQL DB that all nodes share. */
const PROJECTOR_ROLE = 'projector';
const PAUSE_MS = 1_000;

/** Updates a shared SQL DB whenever this node holds the role, until the signal fires; never rejects. */
export async function projectInTurn(options: ProjectorOptions, roles: Roles): Promise<void> {
  const { log, signal } = options;
  while (!signal.aborted) {
    try {
      const holding = await roles.hold(PROJECTOR_ROLE, { signal });
      log.info({}, 'this node updates the SQL DB');
      await runProjector({ ...options, signal: AbortSignal.any([signal, holding.signal]) });
      await holding.release();
    } catch (thrown) {
      if (signal.aborted) return;
      log.warn({ error: toSealionError(thrown) }, 'cannot take its turn to update the SQL DB; trying again');
      await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
