import { Terminal } from '../../../protocols/errors.ts';
import { ChainError } from '../../../protocols/greenfield/chain-errors.ts';

/** The chain's verdict against a transaction or a query: what a node answers with code, codespace and log. */
export class Refusal extends Terminal {
  readonly error: ChainError;

  /** @param detail stands before the error's own text, as the chain's wrapped errors do */
  constructor(error: ChainError, detail?: string) {
    super({
      code: 'devnet-chain-refusal',
      message: detail === undefined ? error.text : `${detail}: ${error.text}`,
    });
    this.error = error;
  }

  /** The same verdict, with the place in the transaction that it fell on. */
  at(messageIndex: number): Refusal {
    const detail = `failed to execute message; message index: ${messageIndex}`;
    return new Refusal({ ...this.error, text: this.message }, detail);
  }
}

/** The chain's errors that only its stand-in must know; see `ChainError` for those that Sealion acts on. */
export const Errors = {
  ...ChainError,
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
  NOT_PAYMENT_ACCOUNT_OWNER: { codespace: 'payment', code: 1204, text: 'not payment account owner' },
  INVALID_BUCKET_NAME: { codespace: 'greenfield', code: 1000, text: 'Invalid bucket name' },
  INVALID_OBJECT_NAME: { codespace: 'greenfield', code: 1001, text: 'Invalid object name' },
  INVALID_PARAMETER: { codespace: 'greenfield', code: 1009, text: 'Invalid parameter' },
  INVALID_ADDRESS: { codespace: 'sdk', code: 7, text: 'invalid address' },
  INVALID_PUBLIC_KEY: { codespace: 'sdk', code: 8, text: 'invalid pubkey' },
  NO_SIGNATURES: { codespace: 'sdk', code: 15, text: 'no signatures supplied' },
  INVALID_REQUEST: { codespace: 'sdk', code: 18, text: 'invalid request' },
  TX_TOO_LARGE: { codespace: 'sdk', code: 21, text: 'tx too large' },
  KEY_NOT_FOUND: { codespace: 'sdk', code: 22, text: 'key not found' },
  INVALID_GAS_LIMIT: { codespace: 'sdk', code: 41, text: 'invalid gas limit' },
} as const satisfies Readonly<Record<string, ChainError>>;
