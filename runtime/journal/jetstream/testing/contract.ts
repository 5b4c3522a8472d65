import { randomUUID } from 'node:crypto';
import type { NatsConnection } from '@nats-io/nats-core';
import test, { type ExecutionContext } from 'ava';
import { connectNats } from '../../../nats/connect.ts';
import { startNatsServer } from '../../../nats/server.ts';
import { startServerCluster } from '../../../nats/testing/server-cluster.ts';
import type { TestedServer } from '../../../nats/testing/servers.ts';
import { silentLogger } from '../../../telemetry/logger.ts';
import { journalContract } from '../../journal.contract.ts';
import { openJetStreamJournal } from '../jetstream-journal.ts';
import { persist } from './persist.ts';

const PASSWORD = 'x'.repeat(16);
const ACCOUNTS = 30;

/** Configures a separate account for each test. */
function accountsConfig(): string {
  const accounts = Array.from(
    { length: ACCOUNTS },
    (_, i) => `a${i} { jetstream: enabled, users: [{ user: a${i}, password: ${PASSWORD} }] }`,
  );
  return `accounts { ${accounts.join('\n')} }`;
}

/** Runs the contract of journals on one server, or on three with three replicas. */
export function contractOnJetStream({ name, binary }: TestedServer, replicas: 1 | 3): void {
  const config = { binary, config: accountsConfig(), user: 'a0', password: PASSWORD };
  let servers: Promise<{ readonly url: string; stop(): Promise<void> }>;
  let used = 0;
  test.before(async () => {
    servers = replicas === 1 ? startNatsServer(config) : startServerCluster(config);
    await servers;
  });
  test.after.always(async () => (await servers).stop());

  async function connect(t: ExecutionContext): Promise<NatsConnection> {
    used += 1;
    const user = `a${used}`;
    const { url } = await servers;
    const as = { user, password: PASSWORD, name: randomUUID() };
    const connection = await connectNats({ url, ...as, log: silentLogger });
    t.teardown(() => connection.close());
    return connection;
  }

  journalContract(`jetstream, ${name}, ${replicas} replicas`, async (t) => {
    const connection = await connect(t);
    const open = () => persist(() => openJetStreamJournal({ connection, replicas }));
    const journal = await open();
    t.teardown(() => journal.close());
    return { journal, successor: open };
  });
}
