/** A refusal of the chain: its module (codespace), number and the start of its log text. */
export interface ChainError {
  readonly codespace: string;
  readonly code: number;
  readonly text: string;
}

/**
 * Refusals that Sealion and its devnet know by number (protocols/sealing/README.md#what-the-chain-checks, protocols/greenfield/README.md#errors-of-the-chain). Clients match on some of the
 * texts, so these are the chain's own.
 */
export const ChainError = {
  NO_SUCH_BUCKET: { codespace: 'storage', code: 1100, text: 'No such bucket' },
  NO_SUCH_OBJECT: { codespace: 'storage', code: 1101, text: 'No such object' },
  BUCKET_EXISTS: { codespace: 'storage', code: 1104, text: 'Bucket already exists' },
  OBJECT_EXISTS: { codespace: 'storage', code: 1105, text: 'Object already exists' },
  ACCESS_DENIED: { codespace: 'storage', code: 1107, text: 'Access denied' },
  OBJECT_ALREADY_SEALED: { codespace: 'storage', code: 1108, text: 'Object already sealed' },
  OBJECT_NOT_CREATED: { codespace: 'storage', code: 1112, text: 'Object not created' },
  OBJECT_TOO_LARGE: { codespace: 'storage', code: 1115, text: 'Object payload size is too large' },
  INVALID_APPROVAL: { codespace: 'storage', code: 1116, text: 'Invalid approval of sp' },
  CHARGE_FAILED: { codespace: 'storage', code: 1117, text: 'charge failed error' },
  INVALID_GVG: { codespace: 'storage', code: 1123, text: 'invalid global virtual group' },
  OBJECT_IS_UPDATING: { codespace: 'storage', code: 1127, text: 'Object is being updated' },
  CHECKSUMS_MISSING: { codespace: 'storage', code: 1130, text: 'Object checksums is missing' },
  VIRTUAL_GROUP_FAILED: { codespace: 'storage', code: 3203, text: 'operate virtual group failed.' },
  INVALID_BLS_KEY: { codespace: 'storage', code: 3204, text: 'invalid bls public key' },
  INVALID_CHECKSUM: { codespace: 'greenfield', code: 1003, text: 'Invalid checksum' },
  INVALID_BLS_SIGNATURE: { codespace: 'greenfield', code: 1013, text: 'bls signature is invalid' },
  TX_PARSE: { codespace: 'sdk', code: 2, text: 'tx parse error' },
  UNAUTHORIZED: { codespace: 'sdk', code: 4, text: 'unauthorized' },
  INSUFFICIENT_FUNDS: { codespace: 'sdk', code: 5, text: 'insufficient funds' },
  UNKNOWN_REQUEST: { codespace: 'sdk', code: 6, text: 'unknown request' },
  UNKNOWN_ADDRESS: { codespace: 'sdk', code: 9, text: 'unknown address' },
  OUT_OF_GAS: { codespace: 'sdk', code: 11, text: 'out of gas' },
  INSUFFICIENT_FEE: { codespace: 'sdk', code: 13, text: 'insufficient fee' },
  TX_IN_MEMPOOL: { codespace: 'sdk', code: 19, text: 'tx already in mempool' },
  TX_TIMEOUT: { codespace: 'sdk', code: 30, text: 'tx timeout height' },
  WRONG_SEQUENCE: { codespace: 'sdk', code: 32, text: 'incorrect account sequence' },
} as const satisfies Readonly<Record<string, ChainError>>;

/** True when a chain's answer is this refusal. */
export function isChainError(
  answer: { readonly codespace: string; readonly code: number },
  error: ChainError,
): boolean {
  return answer.code === error.code && answer.codespace === error.codespace;
}
