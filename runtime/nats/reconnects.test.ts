import test from 'ava';
import { silentLogger } from '../telemetry/logger.ts';
import { startCuttingProxy } from '../testing/cutting-proxy.ts';
import { askAgain } from './ask-again.ts';
import { connectNats } from './connect.ts';
import { askOverReconnects, connectionBack } from './reconnects.ts';
import { startNatsServer } from './server.ts';

test('a request lost by a restarted server is sent again, and the first answer counts', async (t) => {
  const before = await startNatsServer();
  t.teardown(() => before.stop());
  const connection = await connectNats({ url: before.url, name: 'test', log: silentLogger });
  t.teardown(() => connection.close());
  const answering = () =>
    connection.subscribe('question', {
      callback: (_error, message) => {
        asked += 1;
        if (asked > 1) message.respond('answer');
        else void before.kill();
      },
    });
  let asked = 0;
  answering();
  const back = connectionBack(connection);
  const ask = (timeout: number) => connection.request('question', '', { timeout, noMux: true });
  const answer = askOverReconnects(connection, () => ask(600_000));
  await before.ended;
  t.false(back.aborted);
  const after = await startNatsServer({ port: before.port });
  t.teardown(() => after.stop());
  t.is((await answer).string(), 'answer');
  t.true(back.aborted);
  t.false(connectionBack(connection).aborted, 'the next loss is another');
  t.is(asked, 2);
});

test('a failure is reported while the connection is up', async (t) => {
  const server = await startNatsServer();
  t.teardown(() => server.stop());
  const connection = await connectNats({ url: server.url, name: 'test', log: silentLogger });
  t.teardown(() => connection.close());
  await t.throwsAsync(
    askOverReconnects(connection, () => Promise.reject(new Error('no'))),
    { message: 'no' },
  );
});

test('a failure that counts as no answer ends a request only at its limit', async (t) => {
  const server = await startNatsServer();
  t.teardown(() => server.stop());
  const connection = await connectNats({ url: server.url, name: 'test', log: silentLogger });
  t.teardown(() => connection.close());
  let asked = 0;
  const ask = async () => {
    asked += 1;
    if (asked < 3) throw new Error('no leader');
    return 'answer';
  };
  const options = { limitMs: 600_000, againMs: [5, 5], isNoAnswer: () => true };
  t.is(await askAgain(connection, ask, options), 'answer');
  const never = () => Promise.reject(new Error('no leader'));
  await t.throwsAsync(askAgain(connection, never, { ...options, limitMs: 20 }), { message: 'no leader' });
});

test('a request without an answer is sent again, and at once after a lost connection', async (t) => {
  const server = await startNatsServer();
  t.teardown(() => server.stop());
  const proxy = await startCuttingProxy(server.port, ({ line }) => line.startsWith('PUB cut'));
  t.teardown(() => proxy.close());
  const connection = await connectNats({ url: proxy.url, name: 'test', log: silentLogger });
  t.teardown(() => connection.close());
  const answering = await connectNats({ url: server.url, name: 'answering', log: silentLogger });
  t.teardown(() => answering.close());
  let asked = 0;
  answering.subscribe('question', {
    callback: (_error, message) => {
      asked += 1;
      if (asked === 2) connection.publish('cut');
      if (asked === 3) message.respond('answer');
    },
  });
  await answering.flush();
  const ask = (timeout: number) => connection.request('question', '', { timeout });
  const answer = await askAgain(connection, ask, { limitMs: 600_000, againMs: [10, 600_000] });
  t.deepEqual([answer.string(), asked, proxy.cuts], ['answer', 3, 1]);
});
