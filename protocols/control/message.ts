import { z } from 'zod';
import { fromHex, toHex } from '../greenfield/hex.ts';
import { keccak256 } from '../greenfield/keccak.ts';
import { isSignedBy } from '../greenfield/signature.ts';
import { sortedJson } from '../greenfield/sorted-json.ts';
import { sameJob } from '../job/identity.ts';
import { CONTROL_BODIES, type ControlBody, type ControlKind } from './bodies.ts';
import { checkTimes, parse, refused } from './checks.ts';
import {
  type ControlHeader,
  type ControlSubject,
  controlDigest,
  fromWireHeader,
  toWireHeader,
  wireHeader,
} from './header.ts';

/** More bytes are refused unread: the longest ask fits. */
export const MAX_CONTROL_BYTES = 256 * 1024;

const envelope = z.strictObject({
  header: wireHeader,
  body: z.unknown(),
  signature: z.string().regex(/^[0-9a-f]{130}$/),
});

/** A control message whose signature and fields were checked; `kind` determines the body. */
export type ControlMessage<K extends ControlKind = ControlKind> = {
  readonly [Kind in K]: ControlHeader<Kind> & { readonly body: ControlBody<Kind> };
}[K];

/**
 * Signs a message with the sender's operator key.
 * @returns its bytes on the wire: JSON of header, body and signature
 * @throws Terminal `control-malformed` when the header or body is not one
 */
export async function sealControl<K extends ControlKind>(
  header: ControlHeader<K>,
  body: ControlBody<K>,
  sign: (digest: Uint8Array) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const checked = parseBody(header.kind, body);
  const wire = parse(wireHeader, toWireHeader(header, hashOf(checked)));
  const signature = toHex(await sign(controlDigest(wire)));
  return Buffer.from(JSON.stringify({ header: wire, body: checked, signature }));
}

/** What a message must say of itself to be accepted. */
export interface ControlExpectation<K extends ControlKind> {
  readonly chainId: string;
  /** Unix ms. */
  readonly now: number;
  readonly kinds: readonly K[];
  /** Our sp id; `EVERYBODY` for an ask. */
  readonly to: number;
  /** The only sender that is accepted; any known one when absent. */
  readonly from?: number;
  /** The only subject that is accepted; any when absent. */
  readonly about?: ControlSubject;
  /** Operator address of an SP on chain, EIP-55; undefined for an unknown id. */
  operatorAddressOf(spId: number): string | undefined;
}

/**
 * Opens a message from another SP. Every field is checked; what comes back may be trusted to be what that SP
 * said, now, to us. Only that it was not said before is for the caller to know, by its nonce.
 * @throws Terminal `control-malformed`, `control-wrong-chain`, `control-wrong-kind`, `control-wrong-receiver`,
 *   `control-wrong-sender`, `control-unknown-sender`, `control-wrong-job`, `control-wrong-group`,
 *   `control-wrong-index`, `control-not-yet`, `control-expired`, `control-lives-too-long`, `control-wrong-body`,
 *   `control-wrong-signature`
 */
export function openControl<K extends ControlKind>(
  bytes: Uint8Array,
  expected: ControlExpectation<K>,
): ControlMessage<K> {
  const { header: wire, body, signature } = readEnvelope(bytes);
  const header = fromWireHeader(wire);
  const operatorAddress = expected.operatorAddressOf(header.from);
  checkHeader(header, expected);
  checkTimes(header, expected.now);
  if (operatorAddress === undefined) {
    throw refused('control-unknown-sender', `storage provider ${header.from} does not exist`);
  }
  const checked = parseBody(header.kind, body);
  if (wire.body_hash !== hashOf(checked)) throw refused('control-wrong-body', 'its body was changed');
  if (!isSignedBy(operatorAddress, controlDigest(wire), fromHex(signature))) {
    throw refused('control-wrong-signature', `storage provider ${header.from} did not sign it`);
  }
  return { ...header, body: checked } as ControlMessage<K>;
}

function checkHeader<K extends ControlKind>(header: ControlHeader, expected: ControlExpectation<K>): void {
  const { about } = expected;
  if (header.chainId !== expected.chainId) {
    throw refused('control-wrong-chain', `it is for chain "${header.chainId}"`);
  }
  if (!expected.kinds.some((kind) => kind === header.kind)) {
    throw refused('control-wrong-kind', `it is of kind "${header.kind}"`);
  }
  if (header.to !== expected.to) throw refused('control-wrong-receiver', `it is for ${header.to}`);
  if (expected.from !== undefined && header.from !== expected.from) {
    throw refused('control-wrong-sender', `it is from ${header.from}`);
  }
  if (about === undefined) return;
  if (!sameJob(header.job, about.job)) throw refused('control-wrong-job', 'it is about another object');
  if (header.gvgId !== about.gvgId) throw refused('control-wrong-group', `it is about group ${header.gvgId}`);
  if (header.redundancyIndex !== about.redundancyIndex) {
    throw refused('control-wrong-index', `it is about index ${header.redundancyIndex}`);
  }
}

function readEnvelope(bytes: Uint8Array): z.infer<typeof envelope> {
  if (bytes.length > MAX_CONTROL_BYTES) throw refused('control-malformed', `it has ${bytes.length} bytes`);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw refused('control-malformed', 'it is not JSON', undefined, cause);
  }
  return parse(envelope, json);
}

function parseBody(kind: ControlKind, body: unknown): ControlBody<ControlKind> {
  return parse<z.ZodType<ControlBody<ControlKind>>>(CONTROL_BODIES[kind], body);
}

function hashOf(body: ControlBody<ControlKind>): string {
  return toHex(keccak256(sortedJson(body)));
}
