import test from 'ava';
import { fromHex } from '#protocols/greenfield/hex';
import { HELLO_WORLD_CHECKSUMS } from '#protocols/integrity/hello-world.fixture';
import { GO_RECEIVE_MESSAGES } from '#protocols/replication/go-receive-messages.fixture';
import { INTEGRITY_SIGNATURE_HEADER } from '#protocols/replication/receive-message';
import { verifySealSignature } from '#protocols/sealing/seal';
import type { ChainGenesis } from '../devnet/chain/genesis.ts';
import { Database } from '../devnet/chain/store.ts';
import { putTask, serveSecondary } from './receive-gateway.ts';
import { startSecondary, startWorld, temporaryDirectory } from './secondary.ts';

/** The operator account of the Go SP that sent the messages. */
const GO_SP = '0x2EaEDe9261322e9C3A8E53EA53B427454a26f145';
/** The content of the messages. */
const BUCKET = 'vec-9342';
const OBJECT_NAME = 'a/b <c>&\u2028.txt';
const OBJECT_ID = '531';
const GVG = 9;
/** This SP is SP 3, which has index 1 in that group, and gets the second piece of `hello world`. */
const US = 3;
const INDEX = 1;
const PIECE = Buffer.from('lo ');

interface GoMessage {
  readonly task: { readonly update_time: number };
  readonly object_info: { readonly id: string };
  readonly redundancy_idx?: number;
  readonly finished?: boolean;
}

test('recorded messages of a Go SP store a column and get our signature', async (t) => {
  const ours = GO_RECEIVE_MESSAGES.map(({ text }) => ({ text, json: JSON.parse(text) as GoMessage })).filter(
    ({ json }) => json.object_info.id === OBJECT_ID && json.redundancy_idx === INDEX,
  );
  const piece = ours.find(({ json }) => !json.finished);
  const end = ours.find(({ json }) => json.finished);
  if (!piece || !end) return t.fail('the fixture has both');
  // The messages were valid for some minutes, so this process runs at the time of their recording.
  const { now } = Date;
  const shift = now() - end.json.task.update_time * 1000;
  Date.now = () => now() - shift;
  t.teardown(() => {
    Date.now = now;
  });

  // A chain on which the primary has the account of the Go SP, and the next object has the recorded id.
  const directory = await temporaryDirectory(t);
  const database = await Database.open(directory);
  await database.commit(new Map([['next-id/object', Number(OBJECT_ID) - 1]]), true);
  await database.close();
  const change = (genesis: ChainGenesis): ChainGenesis => ({
    ...genesis,
    sps: genesis.sps.map((sp) => (sp.id === 1 ? { ...sp, operatorAddress: GO_SP } : sp)),
  });
  const group = { id: GVG, familyId: 1, primarySpId: 1, secondarySpIds: [2, 3, 4, 5, 6, 7] };
  const world = await startWorld(t, { directory, change, moreGvgs: [group], storage: {} });
  const { user, chain } = world.fixture;
  await user.createBucket({ bucketName: BUCKET, primarySpAddress: GO_SP, familyId: 1 });
  const id = await user.createObject({
    bucketName: BUCKET,
    objectName: OBJECT_NAME,
    payloadSize: 11,
    checksums: HELLO_WORLD_CHECKSUMS,
  });
  t.is(id, OBJECT_ID);

  const us = await startSecondary(t, world, US, {});
  const endpoint = await serveSecondary(t, us);
  const put = async (text: string, body: Buffer) => {
    const sent = putTask(endpoint, Buffer.from(text).toString('hex'));
    sent.end(body);
    return sent.answer;
  };
  t.like(await put(piece.text, PIECE), { status: 200, code: 0 });
  const { status, headers } = await put(end.text, Buffer.alloc(0));
  t.is(status, 200);
  const signature = String(headers[INTEGRITY_SIGNATURE_HEADER.toLowerCase()]);
  t.is(fromHex(signature).length, 96);
  const document = {
    chainId: chain.chainId,
    gvgId: GVG,
    objectId: OBJECT_ID,
    checksums: HELLO_WORLD_CHECKSUMS,
  };
  const { blsKey = '' } = (await chain.storageProviders()).find((sp) => sp.id === US) ?? {};
  t.true(verifySealSignature({ document, blsKey, signature }));
});
