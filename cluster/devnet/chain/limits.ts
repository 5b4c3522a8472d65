/** Limits that a real chain has as parameters, at its defaults. */
export const Limits = {
  BUCKETS_PER_ACCOUNT: 100,
  LOCAL_GROUPS_PER_BUCKET: 10,
  GROUPS_PER_FAMILY: 10,
  BYTES_PER_FAMILY: 64 * 1024 ** 4,
  /** Policies of one resource for groups. */
  GROUP_POLICIES: 10,
  /** Seconds between two changes of a read quota of which the second lowers it. */
  QUOTA_INTERVAL: 30 * 24 * 3600,
  /** Seconds from the discontinuation of an object to its deletion. */
  DISCONTINUE_PERIOD: 7 * 24 * 3600,
  /** Seconds for which an SP may be in maintenance, and blocks between two beginnings. */
  MAINTENANCE_QUOTA: 21_600,
  MAINTENANCE_LOCKUP: 21_600,
  /** Bytes of one transaction. */
  TX_BYTES: 64 * 1024,
  GAS_PER_BYTE: 5,
} as const;
