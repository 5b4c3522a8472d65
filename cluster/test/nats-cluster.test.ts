import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager, type StreamInfo } from '@nats-io/jetstream';
import anyTest, { type TestFn } from 'ava';
import { connect } from 'nats';
import { patient } from '#runtime/nats/patient';
import { useNetwork } from './network.ts';
import type { WaitingObject } from './offers.ts';
import { persistentPut } from './persistent-put.ts';
import { until } from './until.ts';

const test = anyTest as TestFn;
const KIB = 1024;

const network = useNetwork(test, { natsServers: 3 });

async function create(bucketName: string): Promise<readonly WaitingObject[]> {
  const objects = [];
  for (const size of [1, 64 * KIB, 200 * KIB]) {
    objects.push(await network().createObject(bucketName, { size }));
  }
  return objects;
}

/** Uploads them soon after each other, as a client that repeats what is refused while a leader is elected. */
async function upload(objects: readonly WaitingObject[]): Promise<void> {
  const put = (object: WaitingObject) =>
    persistentPut(() => network().put(1, object), { tries: 5, pauseMs: 1_000 });
  await Promise.all(objects.map((object, i) => sleep(300 * i).then(() => put(object))));
}

/** The streams of SP 1, as those servers that respond know them. */
async function streams(): Promise<readonly StreamInfo[]> {
  const { url = '', user = '', password = '' } = network().devnet.file.sps[0]?.nats ?? {};
  const connection = await connect({ servers: url.split(','), user, pass: password, timeout: 2_000 });
  try {
    const manager = await jetstreamManager(patient(connection));
    const found = [];
    for await (const stream of manager.streams.list()) found.push(stream);
    return found;
  } finally {
    await connection.close();
  }
}

test.serial(
  'with three replicas, one nats-server at a time can be killed while objects are uploaded',
  async (t) => {
    const net = network();
    const bucketName = await net.createBucket(1);
    for (const [index, server] of net.devnet.natsServers.entries()) {
      const objects = await create(bucketName);
      const uploading = upload(objects);
      await sleep(200);
      await server.kill();
      await uploading;
      await server.start();
      for (const object of objects) {
        await net.sealed(object);
        t.true(
          (await net.get(1, object)).equals(object.payload),
          `server ${index + 1}: ${object.objectName}`,
        );
      }
    }
  },
);

test.serial(
  'a suspended nats-server that leads streams is replaced, and catches up when it continues',
  async (t) => {
    const net = network();
    const objects = await create(await net.createBucket(1));
    const leader = (await streams()).find(({ config }) => config.name === 'OBJ_pieces')?.cluster?.leader;
    const suspended = net.devnet.natsServers[Number(leader?.replace('server-', '')) - 1];
    if (!suspended) throw new Error(`no server leads the pieces: ${leader}`);
    const uploading = upload(objects);
    await sleep(200);
    suspended.signal('SIGSTOP');
    await until('the others have leaders for all streams', async () => {
      const leaders = (await streams()).map(({ cluster }) => cluster?.leader);
      return leaders.length > 0 && leaders.every((name) => name !== undefined && name !== leader);
    });
    await uploading;
    await Promise.all(objects.map((object) => net.sealed(object)));
    suspended.signal('SIGCONT');
    await until('it has what the others have', async () =>
      (await streams()).every(({ cluster }) =>
        cluster?.replicas?.every(({ current, lag = 0 }) => current && lag === 0),
      ),
    );
    for (const object of objects) {
      t.true((await net.get(1, object)).equals(object.payload), object.objectName);
    }
  },
);
