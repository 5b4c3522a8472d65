import { randomUUID } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { connectNats } from '../../nats/connect.ts';
import { type NatsServer, startNatsServer } from '../../nats/server.ts';
import { silentLogger } from '../../telemetry/logger.ts';
import { journalContract } from '../journal.contract.ts';
import { openJetStreamJournal } from './jetstream-journal.ts';

const PASSWORD = 'x'.repeat(16);
let server: NatsServer;

/** Each test has an account of its own. */
const ACCOUNTS = Array.from({ length: 40 }, (_, i) => `a${i}`);

test.before(async () => {
  const accounts = ACCOUNTS.map(
    (name) => `${name} { jetstream: enabled, users: [{ user: ${name}, password: ${PASSWORD} }] }`,
  );
  server = await startNatsServer({ config: `accounts { ${accounts.join('\n')} }` });
});
test.after.always(() => server?.stop());

async function account(t: ExecutionContext) {
  const user = ACCOUNTS.pop() as string;
  const connection = await connectNats({
    url: server.url,
    user,
    password: PASSWORD,
    name: randomUUID(),
    log: silentLogger,
  });
  t.teardown(() => connection.close());
  return connection;
}

journalContract('jetstream', async (t) => {
  const connection = await account(t);
  const journal = await openJetStreamJournal({ connection });
  t.teardown(() => journal.close());
  return { journal, successor: () => openJetStreamJournal({ connection }) };
});
