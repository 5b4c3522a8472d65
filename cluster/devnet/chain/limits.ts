/** Limits that are parameters of a real chain, with their defaults. */
export const Limits = {
  BUCKETS_PER_ACCOUNT: 100,
  LOCAL_GROUPS_PER_BUCKET: 10,
  GROUPS_PER_FAMILY: 10,
  BYTES_PER_FAMILY: 64 * 1024 ** 4,
  /** Policies for groups per resource. */
  GROUP_POLICIES: 10,
  /** Seconds after a change of a read quota before it can be lowered. */
  QUOTA_INTERVAL: 30 * 24 * 3600,
  /** Seconds from the discontinuation of an object to its deletion. */
  DISCONTINUE_PERIOD: 7 * 24 * 3600,
  /** Seconds for which an SP may be in maintenance. */
  MAINTENANCE_QUOTA: 21_600,
  /** Blocks from the start of one maintenance to the next. */
  MAINTENANCE_LOCKUP: 21_600,
  /** Bytes of one transaction. */
  TX_BYTES: 64 * 1024,
  GAS_PER_BYTE: 5,
} as const;
