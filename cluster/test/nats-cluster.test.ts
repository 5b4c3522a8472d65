import { setTimeout as sleep } from 'node:timers/promises';
import anyTest, { type TestFn } from 'ava';
import { useNetwork } from './network.ts';

const test = anyTest as TestFn;
const KIB = 1024;

const network = useNetwork(test, { natsServers: 3 });

test.serial(
  'with three replicas, one nats-server at a time can be killed while objects are uploaded',
  async (t) => {
    const net = network();
    const bucketName = await net.createBucket(1);
    for (const [index, server] of net.devnet.natsServers.entries()) {
      const objects = [];
      for (const size of [1, 64 * KIB, 200 * KIB]) objects.push(await net.createObject(bucketName, { size }));
      const uploads = objects.map(async (object, i) => {
        await sleep(300 * i);
        const put = () => net.put(1, object);
        // a client repeats what was refused while a new leader is elected
        for (let tries = 1; ; tries += 1) {
          try {
            return await put();
          } catch (error) {
            if (tries === 5) throw error;
            await sleep(1_000);
          }
        }
      });
      await sleep(200);
      await server.kill();
      await Promise.all(uploads);
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
