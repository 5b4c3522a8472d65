import { randomBytes } from 'node:crypto';
import { sealControl } from '#protocols/control/message';
import { fromHex } from '#protocols/greenfield/hex';
import type { Redundancy } from '#protocols/greenfield/types';
import { checksum, integrityHash } from '#protocols/integrity/checksums';
import type { JobId } from '#protocols/job/identity';
import { planPayload } from '#protocols/payload/plan';
import { redundancyCode } from '#protocols/payload/redundancy';
import { blsKey } from '#runtime/keys/keyring';
import type { Keyring } from '#runtime/keys/keys';
import type { ColumnOffer } from '#runtime/peers/peers';
import type { ChainFixture } from '../devnet/chain/testing.ts';

/** An object on chain that waits for its payload, and what each of the seven SPs must store of it. */
export interface WaitingObject {
  readonly job: JobId;
  readonly bucketName: string;
  readonly objectName: string;
  readonly payload: Uint8Array;
  readonly redundancy: Redundancy;
  readonly checksums: readonly string[];
  /** Pieces by redundancy index, then by segment. */
  readonly columns: readonly (readonly Uint8Array[])[];
}

/** Cuts and encodes a payload as its primary does. */
export async function encode(
  { chain }: Pick<ChainFixture, 'chain'>,
  payload: Uint8Array,
  redundancy: Redundancy = 'EC',
): Promise<Pick<WaitingObject, 'payload' | 'redundancy' | 'checksums' | 'columns'>> {
  const plan = planPayload({ ...(await chain.storageParams()), payloadSize: payload.length, redundancy });
  const code = redundancyCode(plan);
  const segments = Array.from({ length: plan.segmentCount }, (_, index) => {
    const { offset, length } = plan.segment(index);
    return payload.subarray(offset, offset + length);
  });
  const shards = segments.map((segment) => code.encode(segment));
  const columns = Array.from({ length: plan.columnCount }, (_, index) =>
    shards.map((pieces) => Uint8Array.from(pieces[index] ?? [])),
  );
  const checksums = [segments, ...columns].map((pieces) => integrityHash(pieces.map(checksum)));
  return { payload, redundancy, checksums, columns };
}

/** Creates an object of the fixture's user, with random bytes by default. */
export async function createWaitingObject(
  fixture: ChainFixture,
  bucketName: string,
  options: { readonly payload?: Uint8Array; readonly redundancy?: Redundancy } = {},
): Promise<WaitingObject> {
  const encoded = await encode(fixture, options.payload ?? randomBytes(3000), options.redundancy);
  const objectName = `object-${randomBytes(6).toString('hex')}`;
  const { redundancy, checksums, payload } = encoded;
  const objectId = await fixture.user.createObject({
    bucketName,
    objectName,
    payloadSize: payload.length,
    checksums,
    redundancy,
  });
  return { ...encoded, job: { objectId, version: 0 }, bucketName, objectName };
}

/** The keys of one SP of the fixture. */
export function keysOf({ genesis, key }: ChainFixture, spId: number): Keyring {
  const keys = genesis.sps[spId - 1];
  if (!keys) throw new Error(`there is no sp ${spId}`);
  const { operator, approval, seal, bls } = keys;
  return { operator: key(operator), approval: key(approval), seal: key(seal), bls: blsKey(fromHex(bls)) };
}

/** The offer that primary 1 makes to a member of a group of its family, with the member's own approval. */
export async function offerOf(
  fixture: ChainFixture,
  object: WaitingObject,
  place: { readonly redundancyIndex: number; readonly gvgId?: number },
): Promise<ColumnOffer> {
  const { redundancyIndex, gvgId = 1 } = place;
  const gvg = await fixture.chain.gvg(gvgId);
  const { maxSegmentSize, dataChunks, parityChunks } = await fixture.chain.storageParams();
  const { job, bucketName, objectName, payload, redundancy, checksums } = object;
  const to = gvg?.secondarySpIds[redundancyIndex] ?? 0;
  return {
    job,
    from: 1,
    to,
    gvgId,
    redundancyIndex,
    bucketName,
    objectName,
    payloadSize: payload.length,
    redundancy,
    maxSegmentSize,
    dataChunks,
    parityChunks,
    approval: await approvalOf(fixture, job, { spId: to, gvgId, redundancyIndex }),
    checksums,
  };
}

/** A secondary's approval in its wire form, base64. */
export async function approvalOf(
  fixture: ChainFixture,
  job: JobId,
  place: {
    readonly spId: number;
    readonly gvgId: number;
    readonly redundancyIndex: number;
    readonly expiresAt?: number;
  },
): Promise<string> {
  const { spId, gvgId, redundancyIndex, expiresAt = Date.now() + 600_000 } = place;
  const header = {
    kind: 'approval',
    chainId: fixture.chain.chainId,
    from: spId,
    to: 1,
    job,
    gvgId: 0,
    redundancyIndex: 0,
    issuedAt: expiresAt - 600_000,
    expiresAt,
    nonce: randomBytes(16).toString('hex'),
  } as const;
  const body = {
    re: randomBytes(16).toString('hex'),
    granted: [{ gvgId, redundancyIndex }],
    refused: [],
  };
  const { operator } = keysOf(fixture, spId);
  const bytes = await sealControl(header, body, (digest) => operator.sign(digest));
  return Buffer.from(bytes).toString('base64');
}
