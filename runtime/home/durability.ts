import { compare, parseSemVer } from '@nats-io/nats-core/internal';
import { Terminal } from '#protocols/errors';
import type { Durability } from './home.ts';

/** The first server version with `sync_interval`. */
const SYNC_SINCE = '2.10.0';

/**
 * The durability of an acknowledgement as far as the home plane decides it
 * (ARCHITECTURE.md#what-an-acknowledgement-is-worth); the journal beside it syncs every write. A client cannot see
 * whether a server syncs before it acknowledges, so the operator states it.
 * @param plane.replicas copies of each message
 * @param plane.syncAlways the operator states that the servers run with `sync_interval: always`
 * @returns the level, and why in one sentence for operators
 * @throws Terminal `sync-unsupported` when these servers do not support it
 */
export function assessDurability(plane: {
  readonly serverVersion: string;
  readonly replicas: number;
  readonly syncAlways: boolean;
}): { readonly level: Durability; readonly because: string } {
  const { serverVersion, replicas, syncAlways } = plane;
  if (syncAlways && compare(parseSemVer(serverVersion), parseSemVer(SYNC_SINCE)) < 0) {
    throw new Terminal({
      code: 'sync-unsupported',
      message: `nats-server ${serverVersion} cannot sync before it acknowledges: sync_interval needs ${SYNC_SINCE} or later.`,
      advice: 'Upgrade nats-server and set sync_interval: always, or set syncAlways: false.',
    });
  }
  if (replicas >= 3) {
    return {
      level: 'replicated',
      because: `A majority of ${replicas} servers holds every message before it is acknowledged.`,
    };
  }
  if (syncAlways) {
    return { level: 'power-safe', because: 'The server syncs every message before it acknowledges.' };
  }
  return {
    level: 'crash-safe',
    because: `One server (${serverVersion}) acknowledges before it syncs: a crash of the server loses nothing, a power cut can.`,
  };
}
