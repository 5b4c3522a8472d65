import { Terminal } from '#protocols/errors';
import type { ChainError } from '#protocols/greenfield/chain-errors';
import type { Message } from '#protocols/greenfield/messages';
import { checkBucketName, checkObjectName } from '#protocols/greenfield/names';
import { checkAddress, validateAccessMessage } from './access/validation.ts';
import { Errors, Refusal } from './refusal.ts';

const SHA256_HEX = 64;
const BLS_SIGNATURE_HEX = 192;

/**
 * Makes the stateless checks of a message, which come before all others on the chain.
 * @throws Refusal
 */
export function validateMessage(message: Message): void {
  const { value } = message;
  if ('creator' in value) checkAddress('creator', value.creator);
  if ('operator' in value) checkAddress('operator', value.operator);
  if ('updater' in value) checkAddress('updater', value.updater);
  if ('primarySpAddress' in value) checkAddress('primary sp', value.primarySpAddress);
  if ('paymentAddress' in value && value.paymentAddress !== '') {
    checkAddress('store payment', value.paymentAddress);
  }
  if ('primarySpApproval' in value && value.primarySpApproval === undefined) {
    throw new Refusal(Errors.INVALID_APPROVAL, 'Empty approvals are not allowed.');
  }
  if ('to' in value) {
    checkAddress('to', value.to);
    checkAmount(value.amount);
  }
  if ('from' in value) {
    if (value.from !== '') checkAddress('from', value.from);
    checkAmount(value.amount);
  }
  if ('bucketName' in value) asRefusal(Errors.INVALID_BUCKET_NAME, () => checkBucketName(value.bucketName));
  if ('objectName' in value) asRefusal(Errors.INVALID_OBJECT_NAME, () => checkObjectName(value.objectName));
  if ('expectChecksums' in value && value.expectChecksums.some((hex) => hex.length !== SHA256_HEX)) {
    throw new Refusal(Errors.INVALID_CHECKSUM, 'Invalid SHA256 checksum size.');
  }
  if (
    'secondarySpBlsAggSignatures' in value &&
    value.secondarySpBlsAggSignatures.length !== BLS_SIGNATURE_HEX
  ) {
    throw new Refusal(Errors.INVALID_BLS_SIGNATURE, 'length of signature should be 96');
  }
  // An update of a bucket does not change fields that it omits.
  const isBucketUpdate = message.typeUrl === '/greenfield.storage.MsgUpdateBucketInfo';
  if ('visibility' in value && value.visibility === 'UNSPECIFIED' && !isBucketUpdate) {
    throw new Refusal(Errors.INVALID_VISIBILITY, 'Unspecified visibility is not allowed.');
  }
  validateAccessMessage(message);
}

function checkAmount(amount: string): void {
  if (!/^0*[1-9][0-9]{0,76}$/.test(amount))
    throw new Refusal(Errors.INVALID_COINS, `invalid amount (${amount})`);
}

/** Runs a check of another part, and throws the chain's error instead of its own. */
function asRefusal(error: ChainError, check: () => void): void {
  try {
    check();
  } catch (cause) {
    throw new Refusal(error, cause instanceof Terminal ? cause.message : undefined);
  }
}
