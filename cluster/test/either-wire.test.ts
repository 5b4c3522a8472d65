import { randomBytes } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { Columns } from '#actors/ledger/column-record';
import type { Wire } from '#protocols/approval/wire';
import { checksum } from '#protocols/integrity/checksums';
import { pieceKey } from '#protocols/payload/keys';
import { checkReceipt } from '#protocols/replication/receipts';
import { verifySealSignature } from '#protocols/sealing/seal';
import { HttpPeerClient } from '#runtime/peers/http/client';
import { PeerWires } from '#runtime/peers/wires';
import { silentLogger } from '#runtime/telemetry/logger';
import { createBucket } from '../devnet/chain/testing.ts';
import { createWaitingObject, keysOf, offerOf } from './offers.ts';
import { serveSecondary } from './receive-gateway.ts';
import { join, startSecondary, startWorld, until } from './secondary.ts';

/** This SP is SP 3, which has index 1 in the only group of SP 1. */
const US = 3;
const INDEX = 1;

const wire = fc.constantFrom<Wire>('nats', 'http');
const columns = fc.record({
  begins: wire,
  /** Number of pieces sent over the first wire. */
  taken: fc.nat({ max: 4 }),
  ends: wire,
  repeats: wire,
  redundancy: fc.constantFrom('EC' as const, 'REPLICA' as const),
  payloadSize: fc.integer({ min: 1, max: 4_000 }),
});

test('either wire can finish a column begun over the other, and answer for one signed over the other', async (t) => {
  const world = await startWorld(t);
  const { fixture } = world;
  await createBucket(fixture, 'bucket-1', 1);
  const us = await startSecondary(t, world, US);
  const endpoint = await serveSecondary(t, us);
  const providers = async () =>
    (await fixture.chain.storageProviders()).map((sp) => (sp.id === US ? { ...sp, endpoint } : sp));
  const http = new HttpPeerClient({
    chain: fixture.chain,
    providers,
    operatorKey: keysOf(fixture, 1).operator,
    allowPrivateEndpoints: true,
  });
  t.teardown(() => http.close());
  const nats = (await join(t, world, 1)).peers.client;
  const client = new PeerWires({ nats, http, log: silentLogger });
  const self = (await providers()).find(({ id }) => id === US);
  const gvg = await fixture.chain.gvg(1);
  if (!self || !gvg) throw new Error('the chain does not know us');

  let overHttp = 0;
  await fc.assert(
    fc.asyncProperty(columns, async ({ begins, taken, ends, repeats, redundancy, payloadSize }) => {
      const payload = randomBytes(payloadSize);
      const object = await createWaitingObject(fixture, 'bucket-1', { redundancy, payload });
      const { job, checksums } = object;
      const pieces = object.columns[INDEX] ?? [];
      const approved = await offerOf(fixture, object, { redundancyIndex: INDEX });
      const offers = { nats: approved, http: { ...approved, approval: '' } };
      const stored = Math.min(taken, pieces.length);

      const first = await client.open(offers[begins], {});
      for (let i = 0; i < stored; i += 1) await first.send({ segmentIndex: i, bytes: pieces[i] ?? payload });
      const last = pieceKey(job, stored - 1, INDEX);
      if (stored > 0) await until(async () => (await us.ports.pieces.stat(last)) !== undefined);
      first.close();
      await until(() => us.system.tree().children.every(({ children }) => children.length === 0));

      const receipts = [];
      for (const wire of [ends, repeats]) {
        const session = await client.open(offers[wire], {});
        if (wire === 'nats') t.is(session.firstMissing, receipts.length === 0 ? stored : pieces.length);
        const from = receipts.length === 0 ? stored : pieces.length;
        for (let i = from; i < pieces.length; i += 1) {
          await session.send({ segmentIndex: i, bytes: pieces[i] ?? payload });
        }
        const receipt = await session.done(checksums);
        session.close();
        const { chainId } = fixture.chain;
        const subject = { chainId, objectId: job.objectId, gvg, redundancyIndex: INDEX, checksums };
        await t.notThrowsAsync(checkReceipt(receipt, subject, self, wire, verifySealSignature));
        receipts.push(receipt);
        if (wire === 'http') overHttp += 1;
      }
      t.is(receipts[0]?.blsSignature, receipts[1]?.blsSignature);
      const record = await new Columns(us.ports).get({ job, redundancyIndex: INDEX });
      t.deepEqual(record?.held?.pieceChecksums, pieces.map(checksum));
    }),
    { numRuns: 12 },
  );
  const [primary] = us.ports.counts.report();
  t.is(primary?.spId, 1);
  t.is(primary?.columnsIn.done, overHttp);
});
