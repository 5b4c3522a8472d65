import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { Terminal } from '#protocols/errors';
import { blsVerify } from '#protocols/greenfield/bls';
import { fromHex } from '#protocols/greenfield/hex';
import { recoverAddress } from '#protocols/greenfield/signature';
import { PROVIDERS } from '../peers/testing/peers.ts';
import { withAbsentKeys } from './absent-key.ts';
import { accountKey, blsKey, type KeySources, openKeyring } from './keyring.ts';

const SECRETS = { operator: '11', approval: '22', seal: '33', bls: '44' } as const;
const secretOf = (name: keyof typeof SECRETS): string => SECRETS[name].repeat(32);

const fromEnv: KeySources = {
  operator: { env: 'OPERATOR' },
  approval: { env: 'APPROVAL' },
  seal: { env: 'SEAL' },
  bls: { env: 'BLS' },
};
const env = {
  OPERATOR: secretOf('operator'),
  APPROVAL: `0x${secretOf('approval')}`,
  SEAL: ` ${secretOf('seal')}\n`,
  BLS: secretOf('bls'),
};

async function keyFile(t: ExecutionContext, text: string, mode = 0o600): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sealion-keys-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, 'seal.key');
  await writeFile(path, text, { mode });
  await chmod(path, mode);
  return path;
}

test('keys come from the environment, with or without 0x and white space', async (t) => {
  const keys = await openKeyring(fromEnv, env);
  t.is(keys.operator.address, '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A');
  t.is(keys.approval.address, accountKey(fromHex(secretOf('approval'))).address);
  t.is(keys.seal.address, accountKey(fromHex(secretOf('seal'))).address);
  t.is(keys.bls.publicKey, blsKey(fromHex(secretOf('bls'))).publicKey);
});

test('keys come from files', async (t) => {
  const file = await keyFile(t, `${secretOf('seal')}\n`);
  const keys = await openKeyring({ ...fromEnv, seal: { file } }, env);
  t.is(keys.seal.address, accountKey(fromHex(secretOf('seal'))).address);
});

test('of a key that is not loaded only what is public is known', async (t) => {
  const loaded = await openKeyring({ operator: fromEnv.operator }, env);
  t.deepEqual(Object.keys(loaded), ['operator']);
  const [own] = PROVIDERS;
  if (!own) throw new Error('there are no providers');
  const keys = withAbsentKeys(loaded, own);
  t.true(keys.operator === loaded.operator);
  t.is(keys.seal.address, own.sealAddress);
  t.is(keys.bls.publicKey, own.blsKey);
  const digest = new Uint8Array(32);
  const absent = { instanceOf: Terminal, code: 'key-absent' };
  for (const name of ['approval', 'seal', 'bls'] as const) {
    await t.throwsAsync(keys[name].sign(digest), absent, name);
  }
  t.throws(() => keys.seal.publicKey, absent);
});

test('signatures by the keys verify', async (t) => {
  const keys = await openKeyring(fromEnv, env);
  const digest = new Uint8Array(32).fill(7);
  t.is(recoverAddress(digest, await keys.seal.sign(digest)), keys.seal.address);
  t.true(blsVerify(digest, fromHex(keys.bls.publicKey), await keys.bls.sign(digest)));
});

test('a key file that others may read or change is refused', async (t) => {
  for (const mode of [0o604, 0o602, 0o620]) {
    const file = await keyFile(t, secretOf('seal'), mode);
    const error = await t.throwsAsync(openKeyring({ ...fromEnv, seal: { file } }, env), {
      instanceOf: Terminal,
    });
    t.is(error.code, 'secret-exposed');
    t.is(error.advice, `chmod 600 ${file}`);
  }
});

test('a key file that only its owner or its group may read is accepted', async (t) => {
  for (const mode of [0o400, 0o440, 0o600]) {
    const file = await keyFile(t, secretOf('seal'), mode);
    await t.notThrowsAsync(openKeyring({ ...fromEnv, seal: { file } }, env));
  }
});

test('a missing key is rejected with its name and location', async (t) => {
  const { SEAL: _missing, ...rest } = env;
  const unset = await t.throwsAsync(openKeyring(fromEnv, rest), { instanceOf: Terminal });
  t.is(unset.code, 'secret-missing');
  t.regex(unset.message, /seal key.*SEAL/);

  const absent = openKeyring({ ...fromEnv, bls: { file: '/nowhere/bls.key' } }, env);
  const error = await t.throwsAsync(absent, { instanceOf: Terminal });
  t.is(error.code, 'secret-missing');
  t.regex(error.message, /bls key.*\/nowhere\/bls\.key/);
});

test('a value that is not a valid key is rejected, and not shown', async (t) => {
  const wrong = ['5ec'.repeat(20), `${secretOf('seal')}5ec`, 'f'.repeat(64), '0'.repeat(64)];
  for (const name of ['seal', 'bls'] as const) {
    for (const text of wrong) {
      const sources = { ...fromEnv, [name]: { env: 'WRONG' } };
      const error = await t.throwsAsync(openKeyring(sources, { ...env, WRONG: text }), {
        instanceOf: Terminal,
      });
      t.is(error.code, 'bad-key');
      t.false(inspect(error, { depth: null, showHidden: true }).includes(text));
    }
  }
});

test('a file that is empty or too long is refused', async (t) => {
  for (const text of ['', ' \n', 'ab'.repeat(1024)]) {
    const file = await keyFile(t, text);
    const error = await t.throwsAsync(openKeyring({ ...fromEnv, seal: { file } }, env), {
      instanceOf: Terminal,
    });
    t.is(error.code, 'secret-unreadable');
  }
});

test('neither inspection nor JSON, as used by the log, shows a secret', async (t) => {
  const keys = await openKeyring(fromEnv, env);
  for (const text of [inspect(keys, { depth: null, showHidden: true }), JSON.stringify(keys)]) {
    t.true(text.includes(keys.seal.address));
    for (const secret of Object.values(SECRETS)) {
      t.false(text.includes(secret.repeat(32)));
      const byte = Number.parseInt(secret, 16);
      t.notRegex(text, new RegExp(`\\b${byte}\\D+${byte}\\D+${byte}\\b`), 'nor its bytes');
    }
  }
});
