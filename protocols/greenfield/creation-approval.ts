import { z } from 'zod';
import { Terminal } from '../errors.ts';
import { isAddress } from './address.ts';
import { keccak256 } from './keccak.ts';
import { checkBucketName, checkObjectName } from './names.ts';
import { sortedJson } from './sorted-json.ts';

/**
 * A client's question whether this provider wants a bucket or an object, asked before it is created on chain
 * (protocols/greenfield/README.md#approvals-of-creations). Sent are the message's bytes for signing, with an empty approval; the answer
 * is the same message with the approval, which the approval key signs.
 */
export const APPROVAL_PATH = '/greenfield/admin/v1/get-approval';
/** Answers the family that a new bucket should have. */
export const RECOMMENDED_FAMILY_PATH = '/greenfield/admin/v1/get-recommended-vgf';
/** In the request: hex of the message's JSON. */
export const UNSIGNED_MESSAGE_HEADER = 'X-Gnfd-Unsigned-Msg';
/** In the answer: hex of the message's sorted JSON. */
export const SIGNED_MESSAGE_HEADER = 'X-Gnfd-Signed-Msg';

const SHA256_BYTES = 32;

/** Go's JSON of a protobuf message leaves nothing out, and reads a field that is missing or null as empty. */
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const uint64 = z
  .union([z.string().regex(/^[0-9]{1,20}$/), z.int().nonnegative()])
  .nullish()
  .transform((value) => BigInt(value ?? 0))
  .refine((value) => value < 2n ** 64n)
  .transform(String);
const uint32 = z
  .int()
  .min(0)
  .max(2 ** 32 - 1)
  .nullish()
  .transform((value) => value ?? 0);
const bytes = z
  .base64()
  .nullish()
  .transform((value) => value ?? '');

/** An enum's value by its name or its number. */
function named(names: readonly string[]) {
  return z
    .union([
      z.enum(names),
      z
        .int()
        .min(0)
        .max(names.length - 1),
    ])
    .nullish()
    .transform((value) => (typeof value === 'string' ? value : (names[value ?? 0] ?? '')));
}

const visibility = named([
  'VISIBILITY_TYPE_UNSPECIFIED',
  'VISIBILITY_TYPE_PUBLIC_READ',
  'VISIBILITY_TYPE_PRIVATE',
  'VISIBILITY_TYPE_INHERIT',
]);
const approval = z
  .strictObject({ expired_height: uint64, global_virtual_group_family_id: uint32, sig: bytes })
  .nullish();

const CREATE_BUCKET = z.strictObject({
  creator: text,
  bucket_name: text,
  visibility,
  payment_address: text,
  primary_sp_address: text,
  primary_sp_approval: approval,
  charged_read_quota: uint64,
});
const CREATE_OBJECT = z.strictObject({
  creator: text,
  bucket_name: text,
  object_name: text,
  payload_size: uint64,
  visibility,
  content_type: text,
  primary_sp_approval: approval,
  expect_checksums: z
    .array(z.base64())
    .nullish()
    .transform((value) => value ?? []),
  redundancy_type: named(['REDUNDANCY_EC_TYPE', 'REDUNDANCY_REPLICA_TYPE']),
});

/** A MsgCreateBucket in Go's JSON. */
export type BucketCreation = z.output<typeof CREATE_BUCKET>;
/** A MsgCreateObject in Go's JSON. */
export type ObjectCreation = z.output<typeof CREATE_OBJECT>;

/** What a provider promises, until a block. */
export interface CreationApproval {
  readonly expiredHeight: number;
  /** Of a bucket; 0 for an object, which has that of its bucket. */
  readonly familyId: number;
}

/**
 * Reads a message that is to be approved.
 * @param hex of the header
 * @throws Terminal 400/50005 what is not such a message, 400/50006 one that the chain would not accept
 */
export function readBucketCreation(hex: string): BucketCreation {
  const message = parse(CREATE_BUCKET, hex);
  checkCommon(message);
  if (!isAddress(message.primary_sp_address)) throw invalid('its primary provider is not an address');
  if (message.payment_address !== '' && !isAddress(message.payment_address)) {
    throw invalid('its payment account is not an address');
  }
  return message;
}

/** As `readBucketCreation`, of an object. @throws as `readBucketCreation`; Terminal 400/50044 for its name */
export function readObjectCreation(hex: string): ObjectCreation {
  const message = parse(CREATE_OBJECT, hex);
  checkCommon(message);
  if (message.expect_checksums.some((sum) => Buffer.from(sum, 'base64').length !== SHA256_BYTES)) {
    throw invalid('a checksum does not have 32 bytes');
  }
  checkObjectName(message.object_name);
  return message;
}

/**
 * The message with the approval, for `SIGNED_MESSAGE_HEADER`.
 * @param sign signs a digest with the approval key, as `AccountKey.sign`
 * @returns hex
 */
export async function approveCreation(
  message: BucketCreation | ObjectCreation,
  { expiredHeight, familyId }: CreationApproval,
  sign: (digest: Uint8Array) => Promise<Uint8Array>,
): Promise<string> {
  const approved = (sig: string) =>
    sortedJson({
      ...message,
      primary_sp_approval: {
        expired_height: String(expiredHeight),
        global_virtual_group_family_id: familyId,
        sig,
      },
    });
  const signature = await sign(keccak256(approved('')));
  return Buffer.from(approved(Buffer.from(signature).toString('base64'))).toString('hex');
}

function parse<T>(form: z.ZodType<T>, hex: string): T {
  try {
    if (!/^(?:[0-9a-f]{2})+$/i.test(hex)) throw new SyntaxError('not hex');
    return form.parse(JSON.parse(Buffer.from(hex, 'hex').toString('utf8')));
  } catch (cause) {
    throw new Terminal({
      code: 'bad-creation',
      message: `${UNSIGNED_MESSAGE_HEADER} does not hold the message to be approved.`,
      advice: "Send the hex of the message's JSON, as the SDKs do.",
      gatewayCode: 50005,
      cause,
    });
  }
}

function checkCommon(message: BucketCreation | ObjectCreation): void {
  if (!isAddress(message.creator)) throw invalid('its creator is not an address');
  if (!message.primary_sp_approval) throw invalid('it has no approval to be filled in');
  if (message.visibility === 'VISIBILITY_TYPE_UNSPECIFIED') throw invalid('it has no visibility');
  try {
    checkBucketName(message.bucket_name);
  } catch (cause) {
    throw invalid('the name of the bucket is not valid', cause);
  }
}

function invalid(why: string, cause?: unknown): Terminal {
  return new Terminal({
    code: 'bad-creation',
    message: `The chain would not accept this message: ${why}.`,
    gatewayCode: 50006,
    cause,
  });
}
