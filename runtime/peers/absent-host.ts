import { once } from 'node:events';
import { Arrivals } from '../async/arrivals.ts';
import type { InboundOffer, PeerHost } from './peers.ts';

/** The host of an SP that does not use the NATS wire: nobody asks, offers or fetches. */
export const absentHost: PeerHost = {
  serveAsks: (_answer, { signal }) => aborted(signal),
  serveRecovery: (_answer, { signal }) => aborted(signal),
  offers: ({ signal }) => {
    const none = new Arrivals<InboundOffer>();
    void aborted(signal).then(() => none.end());
    return none;
  },
};

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
