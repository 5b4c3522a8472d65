/** Limits of one gateway, unless they say otherwise. Sizes in bytes, times in ms. */
export interface GatewayLimits {
  /** Largest payload of a plain PUT. */
  readonly maxPayloadSize: number;
  /**
   * PUTs in progress at once at all gateways of the SP, each of which accepts its share; one more is answered "busy". One
   * client may hold at most as many as are still free.
   */
  readonly maxUploads: number;
  /** Pieces and ends of columns received concurrently from other SPs; one more is answered "busy". */
  readonly maxReceptions: number;
  /** GETs in progress at once; one more is answered "busy". One client may hold at most as many as are still free. */
  readonly maxDownloads: number;
  /**
   * A client that sends or reads nothing for this time is cut off; one that was fast before gets up to three times
   * as long.
   */
  readonly idleTimeoutMs: number;
  /** Minimum average rate of an upload over each `rateWindowMs` of waiting for the client. */
  readonly minBytesPerSecond: number;
  readonly rateWindowMs: number;
  /** Minimum average rate of a download. */
  readonly minDownloadBytesPerSecond: number;
  /** Per address and per signing account; 0 means no limit. */
  readonly perClient: { readonly requestsPerSecond: number; readonly bytesPerSecond: number };
  /** Objects and folders that the provider announces on chain for clients, at its own expense. */
  readonly delegation: { readonly enabled: boolean };
}

export const DEFAULT_LIMITS: GatewayLimits = {
  maxPayloadSize: 2 * 1024 ** 3,
  maxUploads: 256,
  maxReceptions: 256,
  maxDownloads: 1_024,
  idleTimeoutMs: 30_000,
  minBytesPerSecond: 1024,
  rateWindowMs: 30_000,
  minDownloadBytesPerSecond: 1024,
  perClient: { requestsPerSecond: 500, bytesPerSecond: 1024 ** 3 },
  delegation: { enabled: true },
};
