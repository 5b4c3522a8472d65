import { randomUUID } from 'node:crypto';
import test from 'ava';
import type { JobEvent } from '#protocols/job/events';
import { connectNats } from '../../nats/connect.ts';
import { startServerCluster } from '../../nats/testing/server-cluster.ts';
import { testedServers } from '../../nats/testing/servers.ts';
import { silentLogger } from '../../telemetry/logger.ts';
import { openJetStreamJournal } from './jetstream-journal.ts';
import { contractOnJetStream } from './testing/contract.ts';
import { persist } from './testing/persist.ts';

const started = (attempt: number): JobEvent => ({ type: 'UploadStarted', at: 1, attempt, deadlineAt: 1 });

for (const server of await testedServers()) {
  contractOnJetStream(server, 3);

  test(`${server.name}, 3 replicas: events continue while each server in turn is killed and restarted`, async (t) => {
    const cluster = await startServerCluster({ binary: server.binary });
    t.teardown(() => cluster.stop());
    const open = async () => {
      const connection = await connectNats({ url: cluster.url, name: randomUUID(), log: silentLogger });
      t.teardown(() => connection.close());
      return await persist(() => openJetStreamJournal({ connection, replicas: 3 }));
    };
    const nodes = await Promise.all([open(), open()]);
    const jobs = Array.from({ length: 10 }, (_, i) => ({ objectId: String(i + 1), version: 0 }));
    const stop = new AbortController();
    let last = 0;
    const writing = jobs.map(async (job, i) => {
      let n = 0;
      const journal = nodes[i % nodes.length] as (typeof nodes)[0];
      while (!stop.signal.aborted) {
        n += 1;
        await persist(() => journal.append(job, n, started(n)));
        last = Math.max(last, n);
      }
      return n;
    });
    const progress = async () => {
      const from = last;
      while (last < from + 3)
        await Promise.race([...writing, new Promise((resolve) => setTimeout(resolve, 50))]);
    };
    await progress();
    for (const index of [0, 1, 2]) {
      await cluster.server(index).kill();
      await progress();
      await cluster.restart(index);
      await progress();
    }
    stop.abort();
    const written = await Promise.all(writing);
    const reader = await open();
    for (const [i, job] of jobs.entries()) {
      const events = await reader.read(job);
      t.deepEqual(
        events.map(({ event }) => event),
        Array.from({ length: written[i] as number }, (_, k) => started(k + 1)),
      );
    }
    const seen = new Set<string>();
    const total = written.reduce((sum, n) => sum + n, 0);
    for await (const { job, n } of reader.tail(0, { signal: new AbortController().signal })) {
      seen.add(`${job.objectId}/${n}`);
      if (seen.size === total) break;
    }
    t.is(seen.size, total);
  });
}
