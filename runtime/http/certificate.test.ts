import { rename, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { until } from '#runtime/actors/testing';
import { withProgram } from '../testing/programs.ts';
import { selfSigned } from '../testing/self-signed.ts';
import { type Certificate, followCertificate, readCertificate } from './certificate.ts';

const openssl = withProgram(test, 'openssl');

/** A followed certificate in a folder: the certificates handed over, and the log lines. */
async function follow(t: ExecutionContext) {
  const { folder, files } = selfSigned(t, ['one.example.com']);
  const used: Certificate[] = [];
  const lines: { readonly level: string; readonly message: string; readonly fields: object }[] = [];
  const write = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, message, fields });
  const log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  const stop = followCertificate(files, await readCertificate(files), (next) => used.push(next), {
    everyMs: 5,
    log: { ...log, child: () => log as never },
  });
  t.teardown(stop);
  return { folder, files, used, lines, stop };
}

openssl('a new certificate is used as soon as it and its key are there', async (t) => {
  const { files, used, lines } = await follow(t);
  const { files: other } = selfSigned(t, ['two.example.com']);
  const { cert, key } = await readCertificate(other);
  await writeFile(files.cert, cert);
  await writeFile(files.key, key);
  await until(() => used.length > 0);
  t.deepEqual(used, [{ cert, key }]);
  await until(() => lines.some(({ level }) => level === 'info'));
  t.like(lines.find(({ level }) => level === 'info')?.fields, { names: 'DNS:two.example.com' });
});

openssl('a broken certificate is logged once, and the one after it used', async (t) => {
  const { files, used, lines } = await follow(t);
  const errors = () => lines.filter(({ level }) => level === 'error');
  const { files: other } = selfSigned(t, ['two.example.com']);
  const good = await readCertificate(other);
  for (const [i, text] of ['', '-----BEGIN CERTIFICATE-----', good.cert].entries()) {
    await writeFile(files.cert, text);
    await until(() => errors().length === i + 1);
    t.like(errors().at(-1), {
      message: 'the changed certificate cannot be used; the previous one remains in use',
    });
  }
  await unlink(files.key);
  await until(() => errors().length === 4);
  t.is(used.length, 0);
  await writeFile(files.key, good.key);
  await until(() => used.length === 1);
  t.is(errors().length, 4);
});

openssl('a certificate behind a symbolic link is followed to where the link leads', async (t) => {
  const { folder, files, used } = await follow(t);
  const { files: other } = selfSigned(t, ['two.example.com']);
  for (const [path, target] of [
    [files.cert, other.cert],
    [files.key, other.key],
  ] as const) {
    await symlink(target, join(folder, 'new'));
    await rename(join(folder, 'new'), path);
  }
  await until(() => used.length === 1);
  t.deepEqual(used, [await readCertificate(other)]);
});

openssl('a certificate that cannot be used is an error that names the files', async (t) => {
  const { folder, files } = selfSigned(t, ['one.example.com']);
  const { files: other } = selfSigned(t, ['two.example.com']);
  const missing = join(folder, 'missing.pem');
  for (const [faulty, message] of [
    [{ ...files, cert: missing }, /missing\.pem cannot be read: ENOENT/],
    [{ ...files, key: missing }, /missing\.pem cannot be read: ENOENT/],
    [{ ...files, key: other.key }, /cert\.pem and .*key\.pem are not a certificate and its key: .*mismatch/],
    [{ ...files, cert: files.key }, /are not a certificate and its key/],
    [{ ...files, key: '/dev/null' }, /are not a certificate and its key/],
  ] as const) {
    await t.throwsAsync(readCertificate(faulty), { code: 'bad-certificate', message });
  }
});
