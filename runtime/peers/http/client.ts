import { LRUCache } from 'lru-cache';
import { Retryable } from '#protocols/errors';
import type { StorageProvider } from '#protocols/greenfield/types';
import { formatJobId } from '#protocols/job/identity';
import type { Chain } from '../../chain/chain.ts';
import type { AccountKey } from '../../keys/keys.ts';
import { noSizes, type Sizes, watchItems } from '../../telemetry/sizes.ts';
import type {
  ApprovalAnswer,
  ApprovalAsk,
  ColumnOffer,
  PeerOptions,
  PieceRequest,
  PieceSource,
  ReplicationSession,
} from '../peers.ts';
import { Admissions } from './admission.ts';
import { ColumnTask } from './column-task.ts';
import { HttpLinks } from './links.ts';
import { recoverPiece } from './recover-piece.ts';
import { HTTP_TIMES, HttpSession, type HttpTimes } from './session.ts';

export interface HttpPeersOptions {
  readonly chain: Pick<Chain, 'chainId' | 'latestBlock' | 'objectById' | 'storageParams'>;
  /** All SPs on chain; may be cached. */
  readonly providers: () => Promise<readonly StorageProvider[]>;
  /** Signs the receive tasks; its address is our operator address on chain. */
  readonly operatorKey: AccountKey;
  /** Allows SPs in private networks and on this machine, for private test networks. */
  readonly allowPrivateEndpoints: boolean;
  /** Overrides of `HTTP_TIMES`. */
  readonly times?: Partial<HttpTimes>;
  /** Shown the sizes of the caches. */
  readonly sizes?: Sizes;
}

/** How long an admission counts as an approval, ms. */
const ADMISSION_LIFETIME_MS = 900_000;
/** Columns whose progress is remembered, so that a new try continues where the last one ended; `ttl` in ms. */
const PROGRESS = { max: 1_000, ttl: 900_000 };

/** A piece may take this much longer than a short answer. */
const PIECE_TIME_FACTOR = 3;

/**
 * How this SP, as a primary, reaches others over today's HTTP wire
 * (protocols/replication/README.md#receive-tasks-over-http).
 */
export class HttpPeerClient implements PieceSource {
  readonly #options: HttpPeersOptions;
  readonly #links: HttpLinks;
  readonly #admissions: Admissions;
  /** Number of pieces that a secondary has accepted, by column. */
  readonly #progress = new LRUCache<string, number>(PROGRESS);

  constructor(options: HttpPeersOptions) {
    this.#options = options;
    this.#links = new HttpLinks(options);
    this.#admissions = new Admissions({ ...options, links: this.#links });
    watchItems(options.sizes ?? noSizes, 'http_admissions', this.#admissions);
    watchItems(options.sizes ?? noSizes, 'http_progress', this.#progress);
  }

  /** One SP's answer to an ask for all its places, based on the admission check. It contains no message of that SP. */
  async ask(ask: ApprovalAsk, spId: number, signal: AbortSignal): Promise<ApprovalAnswer> {
    const refused = await this.#admissions.refusalOf(spId, signal, ask.trace);
    const places = ask.groups
      .map(({ gvgId, secondarySpIds }) => ({ gvgId, redundancyIndex: secondarySpIds.indexOf(spId) }))
      .filter(({ redundancyIndex }) => redundancyIndex >= 0);
    return {
      spId,
      expiresAt: Date.now() + ADMISSION_LIFETIME_MS,
      granted: refused ? [] : places,
      refused: refused ? places.map(({ gvgId }) => ({ gvgId, ...refused })) : [],
      message: '',
    };
  }

  /** As `PeerClient.open`; the secondary learns of the column with its first piece. */
  async open(offer: ColumnOffer, { signal }: PeerOptions): Promise<ReplicationSession> {
    const { chain, operatorKey, providers, times } = this.#options;
    const endpoint = (await providers()).find(({ id }) => id === offer.to)?.endpoint;
    if (endpoint === undefined) {
      throw new Retryable({
        code: 'peer-unreachable',
        message: `The chain lists no storage provider ${offer.to}.`,
      });
    }
    const task = await ColumnTask.describe({ offer, chain, operatorKey, signal });
    // For other content under the same version the secondary has nothing yet.
    const content = `${formatJobId(offer.job)}@${task.announcedAt}/${offer.checksums.join()}`;
    const column = `${offer.to}/${offer.redundancyIndex}/${content}`;
    return new HttpSession({
      offer,
      endpoint,
      task,
      links: this.#links,
      times: { ...HTTP_TIMES, ...times },
      firstMissing: this.#progress.get(column) ?? 0,
      onProgress: (pieces) => this.#progress.set(column, pieces),
    });
  }

  async fetchPiece(request: PieceRequest, { signal }: PeerOptions = {}): Promise<Uint8Array> {
    const { times } = this.#options;
    const timeoutMs = PIECE_TIME_FACTOR * (times?.request ?? HTTP_TIMES.request);
    return recoverPiece(request, { ...this.#options, links: this.#links, timeoutMs }, signal);
  }

  /** This wire does not support lists. */
  async fetchChecksums(): Promise<undefined> {
    return undefined;
  }

  /** Aborts all requests in progress. */
  close(): void {
    this.#links.close();
  }
}
