import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Terminal } from '../../protocols/errors.ts';
import { readNetwork } from './network.ts';
import type { Reporter } from './reporter.ts';
import { parseObjectName, Session } from './session.ts';
import { size } from './units.ts';

/** `sealion get BUCKET/OBJECT FILE`: the file appears only when every byte has arrived. */
export async function get(
  name: string,
  file: string,
  options: { readonly network: string },
  report: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const session = await Session.open(await readNetwork(options.network));
  const partial = `${file}.part`;
  try {
    const address = parseObjectName(name);
    const found = await session.chain.object(address.bucketName, address.objectName, { signal });
    if (!found) throw new Terminal({ code: 'no-such-object', message: `The chain has no object ${name}.` });
    const total = found.object.payloadSize;
    const sp = await session.primaryFor(address.bucketName, undefined, signal);
    const hash = createHash('sha256');
    let done = 0;
    const meter = new Transform({
      transform(chunk: Buffer, _encoding, next) {
        hash.update(chunk);
        done += chunk.length;
        report.progress('downloading', done, total);
        next(undefined, chunk);
      },
    });
    const body = await session.sp(sp).get(address, { signal });
    await pipeline(Readable.from(body, { objectMode: false }), meter, createWriteStream(partial), { signal });
    if (done !== total) throw incomplete(name, done, total);
    await rename(partial, file);
    const sha256 = hash.digest('hex');
    report.line(`${file}: ${size(done)}, SHA-256 ${sha256}`, {
      event: 'downloaded',
      file,
      bytes: done,
      sha256,
    });
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  } finally {
    session.close();
  }
}

function incomplete(name: string, done: number, total: number): Terminal {
  return new Terminal({
    code: 'incomplete-download',
    message: `Of ${name} only ${done} of ${total} bytes arrived.`,
    advice: 'Try again; nothing was written.',
  });
}
