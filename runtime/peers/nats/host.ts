import type { InboundOffer, PeerHost } from '../peers.ts';
import type { Asks } from './asks.ts';
import type { Offers } from './mail/offers.ts';
import type { Recovery } from './recovery.ts';

/** How this SP, as a secondary, answers the others over NATS. */
export class NatsPeerHost implements PeerHost {
  readonly #asks: Asks;
  readonly #offers: Offers;
  readonly #recovery: Recovery;

  constructor(asks: Asks, offers: Offers, recovery: Recovery) {
    this.#asks = asks;
    this.#offers = offers;
    this.#recovery = recovery;
  }

  serveAsks(
    answer: Parameters<PeerHost['serveAsks']>[0],
    options: { readonly signal: AbortSignal },
  ): Promise<void> {
    return this.#asks.serve(answer, options.signal);
  }

  offers(options: { readonly limit: number; readonly signal: AbortSignal }): AsyncIterable<InboundOffer> {
    return this.#offers.take(options.limit, options.signal);
  }

  serveRecovery(
    answer: Parameters<PeerHost['serveRecovery']>[0],
    options: { readonly signal: AbortSignal },
  ): Promise<void> {
    return this.#recovery.serve(answer, options.signal);
  }
}
