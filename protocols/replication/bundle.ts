import { createHash } from 'node:crypto';
import { z } from 'zod';
import { nonce } from '../control/ask-bodies.ts';
import { checkTimes, parse, refused } from '../control/checks.ts';
import { type ControlSubject, wireHeader } from '../control/header.ts';
import type { Terminal } from '../errors.ts';
import { fromHex, toHex } from '../greenfield/hex.ts';
import { keccak256 } from '../greenfield/keccak.ts';
import { isSignedBy } from '../greenfield/signature.ts';
import { sortedJson } from '../greenfield/sorted-json.ts';
import { LETTER_BODIES, type LetterBody, type LetterKind } from './letters.ts';

/** Letters in one bundle, and bytes of all of it with what they carry; more is refused unread. */
export const MAX_LETTERS = 256;
export const MAX_BUNDLE_BYTES = 768 * 1024;

/** A message in a bundle. */
export type Letter<K extends LetterKind = LetterKind> = {
  readonly [Kind in K]: ControlSubject & {
    readonly kind: Kind;
    /** 16 random bytes, hex: what an answer refers to. */
    readonly nonce: string;
    readonly body: LetterBody<Kind>;
    /** Bytes that go with it as they are. */
    readonly attachment?: Uint8Array;
  };
}[K];

/** The signed header of a bundle. */
export interface BundleHeader {
  readonly chainId: string;
  /** SP ids. */
  readonly from: number;
  readonly to: number;
  /** Where answers go: part of a subject of the sender's. */
  readonly answerTo: string;
  /** Unix ms. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly nonce: string;
}

const token = z.string().regex(/^[0-9a-f]{32}$/);

const wireBundle = wireHeader
  .pick({ chain_id: true, from: true, issued: true, expires: true, nonce: true })
  .extend({
    to: z.int().positive(),
    answer_to: token,
    /** SHA-256 of all that follows the head. */
    content_hash: z.string().regex(/^[0-9a-f]{64}$/),
  });
const head = z.strictObject({ header: wireBundle, signature: z.string().regex(/^[0-9a-f]{130}$/) });

const wireLetter = wireHeader
  .pick({ object_id: true, version: true, gvg_id: true, redundancy_index: true })
  .extend({
    kind: z.enum(Object.keys(LETTER_BODIES) as [LetterKind, ...LetterKind[]]),
    nonce,
    body: z.unknown(),
    /** Bytes of its attachment. */
    attached: z.int().nonnegative().exactOptional(),
  });
const wireLetters = z.array(z.unknown()).min(1).max(MAX_LETTERS);

/**
 * Signs letters for one SP, all of them at once, with the sender's operator key.
 * @returns its bytes on the wire: two texts of JSON, each behind its length in four bytes, and the attachments
 * @throws Terminal `control-malformed` when the header or a letter is not one
 */
export async function sealBundle(
  header: BundleHeader,
  letters: readonly Letter[],
  sign: (digest: Uint8Array) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const written = block(JSON.stringify(parse(wireLetters, letters.map(toWire))));
  const content = Buffer.concat([written, ...letters.map(({ attachment }) => attachment ?? NOTHING)]);
  const wire = parse(wireBundle, {
    chain_id: header.chainId,
    from: header.from,
    to: header.to,
    answer_to: header.answerTo,
    issued: header.issuedAt,
    expires: header.expiresAt,
    nonce: header.nonce,
    content_hash: sha256(content),
  });
  const signature = toHex(await sign(digestOf(wire)));
  return Buffer.concat([block(JSON.stringify({ header: wire, signature })), content]);
}

/** Bytes of a letter in a bundle, at most. */
export function letterBytes(letter: Letter): number {
  // 256 bytes for the names of the fields and the numbers in them
  return 256 + JSON.stringify(letter.body).length + (letter.attachment?.length ?? 0);
}

/** What a bundle must say of itself to be accepted. */
export interface BundleExpectation {
  readonly chainId: string;
  /** Unix ms. */
  readonly now: number;
  /** SP ids. */
  readonly from: number;
  readonly to: number;
  /** EIP-55; undefined for an unknown id. */
  operatorAddressOf(spId: number): string | undefined;
}

/** A letter, or why there is none in its place. */
export type OpenedLetter = { readonly letter: Letter } | { readonly fault: Terminal };

/**
 * Opens a bundle: what comes back may be trusted to be what that SP said, now, to us. A letter that is malformed does
 * not take its neighbours with it. That a bundle was not heard before is for the caller to know, by its nonce.
 * @throws Terminal as `openControl`, for the bundle as a whole
 */
export function openBundle(
  bytes: Uint8Array,
  expected: BundleExpectation,
): BundleHeader & { readonly letters: readonly OpenedLetter[] } {
  if (bytes.length > MAX_BUNDLE_BYTES) throw refused('control-malformed', `it has ${bytes.length} bytes`);
  const [first, content] = splitBlock(bytes);
  const { header: wire, signature } = parse(head, readJson(first));
  const header = fromWire(wire);
  checkHeader(header, expected);
  const operatorAddress = expected.operatorAddressOf(header.from);
  if (operatorAddress === undefined) {
    throw refused('control-unknown-sender', `storage provider ${header.from} does not exist`);
  }
  if (wire.content_hash !== sha256(content)) throw refused('control-wrong-body', 'its content was changed');
  if (!isSignedBy(operatorAddress, digestOf(wire), fromHex(signature))) {
    throw refused('control-wrong-signature', `storage provider ${header.from} did not sign it`);
  }
  const [second, attachments] = splitBlock(content);
  return { ...header, letters: readLetters(parse(wireLetters, readJson(second)), attachments) };
}

function checkHeader({ chainId, from, to, ...times }: BundleHeader, expected: BundleExpectation): void {
  if (chainId !== expected.chainId) throw refused('control-wrong-chain', `it is for chain "${chainId}"`);
  if (to !== expected.to) throw refused('control-wrong-receiver', `it is for ${to}`);
  if (from !== expected.from) throw refused('control-wrong-sender', `it is from ${from}`);
  checkTimes(times, expected.now);
}

function readLetters(wires: readonly unknown[], attachments: Uint8Array): OpenedLetter[] {
  let at = 0;
  return wires.map((wire) => {
    try {
      const { kind, nonce, attached, body, ...about } = parse(wireLetter, wire);
      const attachment = attached === undefined ? undefined : attachments.subarray(at, at + attached);
      at += attached ?? 0;
      if (attached !== undefined && at > attachments.length)
        throw refused('control-malformed', 'a letter is longer than its bundle');
      const letter = {
        kind,
        nonce,
        job: { objectId: about.object_id, version: about.version },
        gvgId: about.gvg_id,
        redundancyIndex: about.redundancy_index,
        body: parse<z.ZodType>(LETTER_BODIES[kind], body),
        ...(attachment && { attachment }),
      };
      return { letter: letter as Letter };
    } catch (fault) {
      return { fault: fault as Terminal };
    }
  });
}

function toWire({ kind, nonce, job, gvgId, redundancyIndex, body, attachment }: Letter): object {
  return {
    kind,
    nonce,
    object_id: job.objectId,
    version: job.version,
    gvg_id: gvgId,
    redundancy_index: redundancyIndex,
    body: parse<z.ZodType>(LETTER_BODIES[kind], body),
    ...(attachment && { attached: attachment.length }),
  };
}

function fromWire(wire: z.infer<typeof wireBundle>): BundleHeader {
  return {
    chainId: wire.chain_id,
    from: wire.from,
    to: wire.to,
    answerTo: wire.answer_to,
    issuedAt: wire.issued,
    expiresAt: wire.expires,
    nonce: wire.nonce,
  };
}

/** The type in front keeps the signature from being one of another document that the same key signs. */
function digestOf(header: z.infer<typeof wireBundle>): Uint8Array {
  return keccak256(sortedJson({ type: 'sealion/Bundle', value: header }));
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const NOTHING = new Uint8Array();

function block(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function splitBlock(bytes: Uint8Array): [Uint8Array, Uint8Array] {
  if (bytes.length >= 4) {
    const end = 4 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
    if (end <= bytes.length) return [bytes.subarray(4, end), bytes.subarray(end)];
  }
  throw refused('control-malformed', 'it is cut off');
}

function readJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw refused('control-malformed', 'it is not JSON', undefined, cause);
  }
}
