import { LRUCache } from 'lru-cache';
import { Retryable } from '#protocols/errors';
import type { StorageProvider } from '#protocols/greenfield/types';
import { formatJobId } from '#protocols/job/identity';
import type { Chain } from '../../chain/chain.ts';
import type { AccountKey } from '../../keys/keys.ts';
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
  /** The chain's SPs; may come from a cache. */
  readonly providers: () => Promise<readonly StorageProvider[]>;
  /** Signs the receive tasks; the chain knows its address as our operator. */
  readonly operatorKey: AccountKey;
  /** Connects to SPs in private networks and on this machine too, for a network of one's own. */
  readonly allowPrivateEndpoints: boolean;
  /** Other waiting times than `HTTP_TIMES`. */
  readonly times?: Partial<HttpTimes>;
}

/** An admission counts as an approval for so long; ms. */
const ADMISSION_LIFETIME_MS = 900_000;
/** Columns whose progress is remembered, and how long: a try that begins again goes on where the last one ended. */
const PROGRESS = { max: 1_000, ttl: 900_000 };

/** A piece may take longer to come than a short answer. */
const PIECE_TIME_FACTOR = 3;

/** How this SP reaches the others over today's HTTP wire (protocols/replication/README.md#receive-tasks-over-http). */
export class HttpPeerClient implements PieceSource {
  readonly #options: HttpPeersOptions;
  readonly #links: HttpLinks;
  readonly #admissions: Admissions;
  /** How many pieces a secondary has taken, by column. */
  readonly #progress = new LRUCache<string, number>(PROGRESS);

  constructor(options: HttpPeersOptions) {
    this.#options = options;
    this.#links = new HttpLinks(options);
    this.#admissions = new Admissions({ ...options, links: this.#links });
  }

  /** One SP's answer to an ask, by the admission check, for all its places. It carries no message of that SP. */
  async ask(ask: ApprovalAsk, spId: number, signal: AbortSignal): Promise<ApprovalAnswer> {
    const refused = await this.#admissions.refusalOf(spId, signal);
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

  /** As `PeerClient.open`; the secondary hears of the column with its first piece. */
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
    // Of other content under the same version the secondary has nothing yet.
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

  /** This wire carries no lists. */
  async fetchChecksums(): Promise<undefined> {
    return undefined;
  }

  /** Ends what is under way. */
  close(): void {
    this.#links.close();
  }
}
