import type { AnnouncerMessage, ObjectsMessage, ReceptionMessage, RepairMessage } from '#actors/messages';
import type { Ref } from '#runtime/actors/types';
import type { Chain } from '#runtime/chain/chain';
import type { Proxies } from '#runtime/http/proxies';
import type { AccountKey } from '#runtime/keys/keys';
import type { PieceStore } from '#runtime/pieces/piece-store';
import type { OffChainKeys } from '#runtime/records/off-chain-keys';
import type { Logger } from '#runtime/telemetry/logger';
import type { Metrics } from '#runtime/telemetry/metrics';
import type { Traces } from '#runtime/telemetry/traces';
import type { GatewayLimits } from './limits.ts';

/** Dependencies of a gateway. */
export interface GatewayDependencies {
  readonly chain: Chain;
  /** Our own storage provider. */
  readonly spId: number;
  /** Signs approvals of the buckets and objects that clients are about to create. */
  readonly approvalKey: AccountKey;
  readonly pieces: PieceStore;
  readonly offChainKeys: OffChainKeys;
  /** The pipeline behind the gateway. */
  readonly objects: Ref<ObjectsMessage>;
  /** Announces objects on chain for clients that do not do so themselves. */
  readonly announcer: Ref<AnnouncerMessage>;
  /** Receives the tasks of other SPs; absent if this SP does not serve the HTTP wire. */
  readonly receivers?: Ref<ReceptionMessage>;
  /** Restores lost segments, and serves pieces to other SPs; without it a lost segment cannot be read. */
  readonly repairer?: Ref<RepairMessage>;
  readonly limits: GatewayLimits;
  /** Whether new uploads are refused at the moment, because an operator said so. */
  readonly isPaused?: () => boolean;
  /** Number of gateways of this SP, this one included, which share `limits.maxUploads`; 1 by default. */
  readonly gateways?: () => number;
  /** Hosts under which `{bucket}.{domain}` is a bucket; lower case, without port. */
  readonly domains: readonly string[];
  /** Serves requests for any host, even one that belongs to another provider. */
  readonly anyHost?: boolean;
  /** Trusted to name the client whose request they forward; none by default. */
  readonly proxies?: Proxies;
  /** Origins of browser applications that may use the gateway; `*` means all. If empty, no CORS headers are sent. */
  readonly corsOrigins: readonly string[];
  /** What requests are counted in; each gateway has its own by default. */
  readonly metrics?: Metrics;
  /** None by default. */
  readonly traces?: Traces;
  readonly log: Logger;
}
