/** Limits that a real chain has as parameters, at its defaults. */
export const Limits = {
  BUCKETS_PER_ACCOUNT: 100,
  LOCAL_GROUPS_PER_BUCKET: 10,
  GROUPS_PER_FAMILY: 10,
  BYTES_PER_FAMILY: 64 * 1024 ** 4,
  /** Bytes of one transaction. */
  TX_BYTES: 64 * 1024,
  GAS_PER_BYTE: 5,
} as const;
