import test from 'ava';
import { checkSharedServer, isolatesAccounts } from './shared-server.ts';

test('a shared server must keep its accounts apart', (t) => {
  for (const version of ['2.9.10', '2.10.26', '2.11.0', '2.11.0-RC.1']) {
    t.false(isolatesAccounts(version), version);
    t.throws(() => checkSharedServer(version), { name: 'Terminal', code: 'nats-server-unsafe' });
  }
  for (const version of ['2.10.27', '2.10.29', '2.11.1', '2.12.3', '2.15.1']) {
    t.notThrows(() => checkSharedServer(version), version);
  }
});
