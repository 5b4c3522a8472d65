import type { AnnouncerMessage, ObjectsMessage, ReceptionMessage, RepairMessage } from '#actors/messages';
import type { Ref } from '#runtime/actors/types';
import type { Chain } from '#runtime/chain/chain';
import type { Proxies } from '#runtime/http/proxies';
import type { AccountKey } from '#runtime/keys/keys';
import type { PieceStore } from '#runtime/pieces/piece-store';
import type { OffChainKeys } from '#runtime/records/off-chain-keys';
import type { Logger } from '#runtime/telemetry/logger';
import type { GatewayLimits } from './limits.ts';

/** What a gateway needs from outside. */
export interface GatewayDependencies {
  readonly chain: Chain;
  /** Our own storage provider. */
  readonly spId: number;
  /** Signs what clients may create with us. */
  readonly approvalKey: AccountKey;
  readonly pieces: PieceStore;
  readonly offChainKeys: OffChainKeys;
  /** The pipeline behind the gateway. */
  readonly objects: Ref<ObjectsMessage>;
  /** Announces on chain what clients do not announce themselves. */
  readonly announcer: Ref<AnnouncerMessage>;
  /** Receives the tasks of other SPs; absent if this SP does not serve the HTTP wire. */
  readonly receivers?: Ref<ReceptionMessage>;
  /** Restores lost segments, and serves pieces to other SPs; without it a lost segment cannot be read. */
  readonly repairer?: Ref<RepairMessage>;
  readonly limits: GatewayLimits;
  /** Hosts under which `{bucket}.{domain}` is a bucket; lower case, without port. */
  readonly domains: readonly string[];
  /** Serves requests for any host, even one that belongs to another provider. */
  readonly anyHost?: boolean;
  /** Believed when they say whose request they pass on; none without it. */
  readonly proxies?: Proxies;
  /** Origins of browser applications that may use the gateway; `*` means all, none leaves CORS unanswered. */
  readonly corsOrigins: readonly string[];
  readonly log: Logger;
}
