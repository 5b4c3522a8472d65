/** Bounds of one gateway. Sizes are bytes, times ms. */
export interface GatewayLimits {
  /** Largest payload of a plain PUT. */
  readonly maxPayloadSize: number;
  /** PUTs in progress at once; one more is answered "busy". */
  readonly maxUploads: number;
  /** Pieces and ends of columns of other SPs in progress at once; one more is answered "busy". */
  readonly maxReceptions: number;
  /** GETs in progress at once; one more is answered "busy". */
  readonly maxDownloads: number;
  /** A client that sends nothing, or takes nothing, for so long is cut off; one that has been fast for three times as long. */
  readonly idleTimeoutMs: number;
  /** An uploading client must reach this on average over each `rateWindowMs` that we spend waiting for it. */
  readonly minBytesPerSecond: number;
  readonly rateWindowMs: number;
  /** A client that downloads must reach this on average. */
  readonly minDownloadBytesPerSecond: number;
  /** Of one address, and of one account that signs; 0 means no limit. */
  readonly perClient: { readonly requestsPerSecond: number; readonly bytesPerSecond: number };
  /** Uploads and folders that the provider announces on chain for clients, and pays for. */
  readonly delegation: { readonly enabled: boolean; readonly perAccountPerHour: number };
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
  delegation: { enabled: true, perAccountPerHour: 1_000 },
};
