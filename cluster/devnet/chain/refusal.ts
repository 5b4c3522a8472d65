import { Terminal } from '#protocols/errors';
import { ChainError } from '#protocols/greenfield/chain-errors';

/** The chain's refusal of a transaction or query, which a node answers with code, codespace and log. */
export class Refusal extends Terminal {
  readonly error: ChainError;

  /** @param detail precedes the error's own text, as in the chain's wrapped errors */
  constructor(error: ChainError, detail?: string) {
    super({
      code: 'devnet-chain-refusal',
      message: detail === undefined ? error.text : `${detail}: ${error.text}`,
    });
    this.error = error;
  }

  /** The same refusal, with the index of the refused message in its transaction. */
  at(messageIndex: number): Refusal {
    const detail = `failed to execute message; message index: ${messageIndex}`;
    return new Refusal({ ...this.error, text: this.message }, detail);
  }
}

/** An error of the chain's code that has no number. */
export function plainRefusal(text: string): Refusal {
  return new Refusal({ codespace: 'undefined', code: 1, text });
}

/**
 * Runs a part whose refusals the chain rethrows with a text before them, but without their number.
 * @throws Refusal
 */
export function wrapped<T>(text: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof Refusal) throw plainRefusal(`${text} ${error.message}`);
    throw error;
  }
}

/** Runs a part whose refusals the chain reports as one specific error that contains their text. @throws Refusal */
export function refusedAs<T>(error: ChainError, text: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof Refusal) throw new Refusal(error, `${text}: ${cause.message}`);
    throw cause;
  }
}

/** Errors of the chain that only the stand-in needs; `ChainError` has those to which Sealion reacts. */
export const Errors = {
  ...ChainError,
  NO_SUCH_GROUP: { codespace: 'storage', code: 1102, text: 'No such group' },
  NO_SUCH_MEMBER: { codespace: 'storage', code: 1103, text: 'No such group member' },
  GROUP_EXISTS: { codespace: 'storage', code: 1106, text: 'Group already exists' },
  MEMBER_EXISTS: { codespace: 'storage', code: 1110, text: 'Group member already exists' },
  UPDATE_QUOTA_FAILED: { codespace: 'storage', code: 1119, text: 'Update quota failed' },
  UPDATE_PAYMENT_FAILED: { codespace: 'storage', code: 1129, text: 'Update payment account failed' },
  INVALID_OBJECT_IDS: { codespace: 'storage', code: 3101, text: 'object ids are invalid' },
  INVALID_REASON: { codespace: 'storage', code: 3102, text: 'reason is invalid' },
  INVALID_BUCKET_STATUS: { codespace: 'storage', code: 3106, text: 'invalid bucket status' },
  INVALID_PERMISSION_PRINCIPAL: { codespace: 'permission', code: 1100, text: 'Invalid principal' },
  INVALID_STATEMENT: { codespace: 'permission', code: 1101, text: 'Invalid statement' },
  LIMIT_EXCEEDED: { codespace: 'permission', code: 1102, text: 'Num limit exceeded' },
  PERMISSION_EXPIRED: { codespace: 'permission', code: 1103, text: 'Permission expired' },
  BUCKET_NOT_EMPTY: { codespace: 'storage', code: 1109, text: 'Bucket is not empty' },
  NO_SUCH_SP: { codespace: 'storage', code: 1111, text: 'No such storage provider' },
  INVALID_VISIBILITY: { codespace: 'storage', code: 1118, text: 'Invalid type of visibility' },
  UPDATE_NOT_ALLOWED: { codespace: 'storage', code: 1126, text: 'Object is not allowed to update' },
  OBJECT_NOT_UPDATING: { codespace: 'storage', code: 1128, text: 'Object is not being updated' },
  BUCKET_DISCONTINUED: { codespace: 'storage', code: 3104, text: 'the bucket is discontinued' },
  INVALID_OBJECT_STATUS: { codespace: 'storage', code: 3105, text: 'invalid object status' },
  BUCKET_MIGRATING: { codespace: 'storage', code: 3107, text: 'the bucket is migrating' },
  NO_SUCH_FAMILY: {
    codespace: 'virtualgroup',
    code: 1100,
    text: 'global virtual group family not exist.',
  },
  NO_SUCH_GVG: { codespace: 'virtualgroup', code: 1102, text: 'global virtual group not exist.' },
  LIMITATION_EXCEEDED: { codespace: 'virtualgroup', code: 1123, text: 'limitation exceed.' },
  INSUFFICIENT_STAKING: { codespace: 'virtualgroup', code: 1125, text: 'insufficient staking for gvg' },
  NO_FAMILY_STATISTICS: {
    codespace: 'virtualgroup',
    code: 1130,
    text: 'global virtual group family statistics not exist.',
  },
  SP_NOT_FOUND: { codespace: 'sp', code: 1, text: 'StorageProvider does not exist' },
  SP_NOT_IN_SERVICE: { codespace: 'sp', code: 2, text: 'StorageProvider is not in service' },
  TOO_MANY_PAYMENT_ACCOUNTS: {
    codespace: 'payment',
    code: 1200,
    text: 'reach payment account count limit',
  },
  NO_SUCH_PAYMENT_ACCOUNT: { codespace: 'payment', code: 1202, text: 'payment account not found' },
  NO_SUCH_STREAM_RECORD: { codespace: 'payment', code: 1203, text: 'stream record not found' },
  SP_NOT_CHANGED: { codespace: 'sp', code: 12, text: 'StorageProvider not changed' },
  SP_STATUS_NOT_ALLOWED: {
    codespace: 'sp',
    code: 16,
    text: 'StorageProvider status is not allow to change',
  },
  NOT_PAYMENT_ACCOUNT_OWNER: { codespace: 'payment', code: 1204, text: 'not payment account owner' },
  INSUFFICIENT_BALANCE: { codespace: 'payment', code: 1206, text: 'insufficient balance' },
  NO_DELAYED_WITHDRAWAL: { codespace: 'payment', code: 1210, text: 'no delayed withdrawal found' },
  NO_SUCH_RECEIVER: { codespace: 'payment', code: 1207, text: 'receive account not exist' },
  INVALID_STREAM_STATUS: { codespace: 'payment', code: 1208, text: 'invalid stream account status' },
  INVALID_BUCKET_NAME: { codespace: 'greenfield', code: 1000, text: 'Invalid bucket name' },
  INVALID_OBJECT_NAME: { codespace: 'greenfield', code: 1001, text: 'Invalid object name' },
  INVALID_GROUP_NAME: { codespace: 'greenfield', code: 1002, text: 'Invalid group name' },
  INVALID_PRINCIPAL: { codespace: 'greenfield', code: 1007, text: 'Invalid principal' },
  INVALID_GRN: {
    codespace: 'greenfield',
    code: 1008,
    text: 'Not a standard greenfield resource name format',
  },
  INVALID_PARAMETER: { codespace: 'greenfield', code: 1009, text: 'Invalid parameter' },
  INVALID_ADDRESS: { codespace: 'sdk', code: 7, text: 'invalid address' },
  INVALID_PUBLIC_KEY: { codespace: 'sdk', code: 8, text: 'invalid pubkey' },
  NO_SIGNATURES: { codespace: 'sdk', code: 15, text: 'no signatures supplied' },
  INVALID_COINS: { codespace: 'sdk', code: 10, text: 'invalid coins' },
  INVALID_REQUEST: { codespace: 'sdk', code: 18, text: 'invalid request' },
  TX_TOO_LARGE: { codespace: 'sdk', code: 21, text: 'tx too large' },
  KEY_NOT_FOUND: { codespace: 'sdk', code: 22, text: 'key not found' },
  INVALID_GAS_LIMIT: { codespace: 'sdk', code: 41, text: 'invalid gas limit' },
} as const satisfies Readonly<Record<string, ChainError>>;
