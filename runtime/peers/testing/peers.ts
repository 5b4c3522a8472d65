import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/nats-core';
import { SealionError } from '#protocols/errors';
import { blsPublicKeyOf, blsSign } from '#protocols/greenfield/bls';
import { toHex } from '#protocols/greenfield/hex';
import type { StorageProvider } from '#protocols/greenfield/types';
import type { Receipt } from '#protocols/job/context';
import { planPayload } from '#protocols/payload/plan';
import { sealDigest } from '#protocols/sealing/seal-document';
import { accountKey } from '../../keys/keyring.ts';
import type { AccountKey } from '../../keys/keys.ts';
import { accountsConfig, homeUser, peersInbox, peersUser, type SpAccount } from '../../nats/accounts.ts';
import { connectNats } from '../../nats/connect.ts';
import { type NatsServer, startNatsServer } from '../../nats/server.ts';
import { type Logger, silentLogger } from '../../telemetry/logger.ts';
import { connectPeers, type Peers, type PeersOptions } from '../nats/connect-peers.ts';
import { ControlCodec, type ControlCodecOptions } from '../nats/control-codec.ts';
import type { ApprovalAsk, ColumnOffer, InboundOffer } from '../peers.ts';

/** Storage providers that share one nats-server, for tests. Their keys follow from their ids. */
export const CHAIN_ID = 'greenfield_9000-1741';
export const SP_IDS = [1, 2, 3, 4, 5, 6, 7] as const;

export function operatorKey(spId: number): AccountKey {
  return accountKey(createHash('sha256').update(`operator ${spId}`).digest());
}

function blsSecret(spId: number): Uint8Array {
  const secret = createHash('sha256').update(`bls ${spId}`).digest();
  secret[0] = 0;
  return secret;
}

export const PROVIDERS: readonly StorageProvider[] = SP_IDS.map((id) => {
  const { address } = operatorKey(id);
  return {
    id,
    operatorAddress: address,
    fundingAddress: address,
    sealAddress: address,
    approvalAddress: address,
    gcAddress: address,
    maintenanceAddress: address,
    status: 'IN_SERVICE',
    endpoint: `http://sp${id}.localhost`,
    moniker: `sp${id}`,
    blsKey: toHex(blsPublicKeyOf(blsSecret(id))),
  };
});

function account(spId: number): SpAccount {
  return { spId, homePassword: `home-password-of-${spId}`, peersPassword: `peers-password-of-${spId}` };
}

export const SERVER_CONFIG = accountsConfig(SP_IDS.map(account));

export function startServer(): Promise<NatsServer> {
  return startNatsServer({ config: SERVER_CONFIG });
}

/** A connection of an SP to its own account. */
export function joinHome(url: string, spId: number): Promise<NatsConnection> {
  const { homePassword: password } = account(spId);
  return connectNats({ url, name: `sp-${spId} home`, user: homeUser(spId), password, log: silentLogger });
}

/** A connection of an SP to the peers plane. */
export function joinPlane(url: string, spId: number): Promise<NatsConnection> {
  const { peersPassword: password } = account(spId);
  const user = peersUser(spId);
  const inboxPrefix = peersInbox(spId);
  return connectNats({ url, name: `sp-${spId} peers`, user, password, inboxPrefix, log: silentLogger });
}

/** A node of an SP, with both its connections. */
export interface Node extends Peers {
  readonly spId: number;
  readonly peers: NatsConnection;
  readonly home: NatsConnection;
  /** Leaves without a word, as a process that dies. */
  vanish(): Promise<void>;
}

export async function startNode(
  url: string,
  spId: number,
  options: Partial<PeersOptions> = {},
): Promise<Node> {
  const [peers, home] = await Promise.all([joinPlane(url, spId), joinHome(url, spId)]);
  const adapter = await connectPeers({
    spId,
    chainId: CHAIN_ID,
    operatorKey: operatorKey(spId),
    providers: async () => PROVIDERS,
    peers,
    home,
    log: silentLogger,
    ...options,
  });
  const leave = async () => {
    await Promise.all([peers.close(), home.close()]);
    await adapter.close();
  };
  return {
    ...adapter,
    spId,
    peers,
    home,
    vanish: leave,
    close: async () => {
      await adapter.close();
      await leave();
    },
  };
}

/** An object of which one column is random bytes: what they mean is not the wire's concern. */
export interface Sample {
  readonly ask: ApprovalAsk;
  readonly maxSegmentSize: number;
  /** Of the column, by segment. */
  readonly pieces: readonly Uint8Array[];
  readonly checksums: readonly string[];
}

const EC = { redundancy: 'EC', dataChunks: 4, parityChunks: 2 } as const;
const GVG_ID = 77;
let objects = 4710;

/** @param secondarySpIds of the only group, by redundancy index */
export function makeSample(
  payloadSize: number,
  maxSegmentSize: number,
  secondarySpIds: readonly number[] = [2, 3, 4, 5, 6, 7],
): Sample {
  objects += 1;
  const plan = planPayload({ payloadSize, maxSegmentSize, ...EC });
  const pieces = Array.from({ length: plan.segmentCount }, (_, i) => randomBytes(plan.pieceLength(i)));
  return {
    ask: {
      job: { objectId: String(objects), version: 0 },
      primarySpId: 1,
      bucketName: 'photos',
      objectName: `holiday/${objects}.jpg`,
      payloadSize,
      redundancy: 'EC',
      groups: [{ gvgId: GVG_ID, secondarySpIds }],
    },
    maxSegmentSize,
    pieces,
    checksums: Array.from({ length: 7 }, () => digest(pieces)),
  };
}

export function digest(chunks: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return toHex(hash.digest());
}

/** Grants every ask all that it asks for, until the signal fires; the server knows of it when the promise resolves. */
export async function approveAll(
  node: Node,
  signal: AbortSignal,
): Promise<{ readonly ended: Promise<void> }> {
  const answer = async (ask: ApprovalAsk) => ({
    spId: node.spId,
    expiresAt: Date.now() + 600_000,
    granted: ask.groups.flatMap(({ gvgId, secondarySpIds }) =>
      secondarySpIds.flatMap((id, redundancyIndex) => (id === node.spId ? [{ gvgId, redundancyIndex }] : [])),
    ),
    refused: [],
  });
  const ended = node.host.serveAsks(answer, { signal });
  await node.peers.flush();
  return { ended };
}

/** The offer of the sample's column to the SP that holds a place, with an approval as it would give it. */
export async function approvedOffer(primarySpId: number, sample: Sample, to: number): Promise<ColumnOffer> {
  const { ask, maxSegmentSize, checksums } = sample;
  const { job, bucketName, objectName, payloadSize, groups } = ask;
  const place = { gvgId: GVG_ID, redundancyIndex: groups[0]?.secondarySpIds.indexOf(to) ?? -1 };
  const approval = await codecOf(to).seal({
    kind: 'approval',
    to: primarySpId,
    about: { job, gvgId: 0, redundancyIndex: 0 },
    expiresAt: Date.now() + 600_000,
    body: { re: '00'.repeat(16), granted: [place], refused: [] },
  });
  const object = { job, bucketName, objectName, payloadSize, maxSegmentSize, checksums, ...EC };
  const message = Buffer.from(approval.bytes).toString('base64');
  return { ...object, ...place, from: primarySpId, to, approval: message };
}

/** Sends what is missing of the sample, and waits for the receipt. */
export async function replicate(primary: Node, offer: ColumnOffer, sample: Sample): Promise<Receipt> {
  const session = await primary.client.open(offer, { column: sample.pieces });
  try {
    for (let i = session.firstMissing; i < sample.pieces.length; i++) {
      await session.send({ segmentIndex: i, bytes: sample.pieces[i] as Uint8Array });
    }
    return await session.done(sample.checksums);
  } finally {
    session.close();
  }
}

/** Reads an offered column from a segment on, and gives a receipt over what has come. */
export async function receive(held: InboundOffer, firstMissing = 0): Promise<Uint8Array[]> {
  const session = await held.accept(firstMissing);
  const pieces: Uint8Array[] = [];
  for await (const piece of session.pieces()) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of piece.bytes) chunks.push(chunk);
    pieces.push(Buffer.concat(chunks));
  }
  await session.done();
  await held.receipt(receiptFor(held.offer, digest(pieces)));
  return pieces;
}

export function receiptFor(offer: ColumnOffer, integrityHash: string): Receipt {
  const { redundancyIndex, gvgId, to: spId, job } = offer;
  const approvalSignature = '11'.repeat(65);
  const checksums = offer.checksums.with(redundancyIndex + 1, integrityHash);
  const document = sealDigest({ chainId: CHAIN_ID, gvgId, objectId: job.objectId, checksums });
  const blsSignature = toHex(blsSign(document, blsSecret(spId)));
  return { redundancyIndex, gvgId, spId, integrityHash, approvalSignature, blsSignature };
}

/** A log that keeps the codes of the errors in it. */
export interface Codes {
  readonly log: Logger;
  /** Waits until so many have been logged, and takes them. */
  take(count: number): Promise<readonly string[]>;
}

export function keepCodes(): Codes {
  let seen: string[] = [];
  const keep = (fields: object) => {
    if ('error' in fields && fields.error instanceof SealionError) seen.push(fields.error.code);
    else if ('code' in fields) seen.push(String(fields.code));
  };
  const log: Logger = { debug: keep, info: keep, warn: keep, error: keep, child: () => log };
  return {
    log,
    take: async (count) => {
      await until(() => seen.length >= count);
      const taken = seen;
      seen = [];
      return taken;
    },
  };
}

/** A codec with which an SP may say what it should not. */
export function codecOf(spId: number, options: Partial<ControlCodecOptions> = {}): ControlCodec {
  const honest = {
    spId,
    chainId: CHAIN_ID,
    operatorKey: operatorKey(spId),
    providers: async () => PROVIDERS,
  };
  return new ControlCodec({ ...honest, ...options });
}

/** Waits, with a generous limit, until something holds. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 6_000; tries++) {
    if (await holds()) return;
    await sleep(20);
  }
  throw new Error('waited too long');
}
