import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { serve, TOKENS } from '../../admin/testing/server.ts';
import { openAdmin } from './admin.ts';
import { parseAdminUrl } from './admin-url.ts';

test('the address of an admin server has neither credentials nor a query', (t) => {
  t.is(parseAdminUrl('https://example.com/sp1/'), 'https://example.com/sp1');
  for (const text of ['', 'sp-1', 'file:///etc/passwd', 'http://user:word@host', 'http://host/?token=x']) {
    const error = t.throws(() => parseAdminUrl(text), { code: 'bad-admin-url' });
    t.false(error?.message.includes('word'));
  }
});

test('a token comes from a file that only its owner reads', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sealion-token-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const tokenFile = join(folder, 'token');
  await writeFile(tokenFile, `${TOKENS.view}\n`, { mode: 0o600 });
  const { port } = await serve(t);
  const admin = `http://127.0.0.1:${port}`;
  const api = await openAdmin({ admin, tokenFile }, 'view');
  t.deepEqual(await api.get('/api/peers'), []);
  await t.throwsAsync(api.post('/api/actions', { action: 'drain', target: 'a' }), { code: 'role-missing' });
  await t.throwsAsync((await openAdmin({ admin }, 'view')).get('/api/peers'), { code: 'token-missing' });
  await chmod(tokenFile, 0o644);
  await t.throwsAsync(openAdmin({ admin, tokenFile }, 'view'), { code: 'secret-exposed' });
});

test('the record of actions names the user', async (t) => {
  let who: string | undefined;
  const actions = {
    perform: async (_: unknown, { name }: { name?: string }) => {
      who = name;
      return 'done';
    },
    audit: async () => [],
  };
  const { port } = await serve(t, { actions, door: { openLoopback: true } });
  const api = await openAdmin({ admin: `http://127.0.0.1:${port}` }, 'act');
  await api.post('/api/actions', { action: 'drain', target: 'a' });
  t.truthy(who);
});
