import { createHash } from 'node:crypto';
import { Terminal } from '#protocols/errors';
import { writeWhole } from '../client/file.ts';
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
  const address = parseObjectName(name);
  const session = await Session.open(await readNetwork(options.network));
  try {
    const found = await session.chain.object(address.bucketName, address.objectName, { signal });
    if (!found) throw new Terminal({ code: 'no-such-object', message: `The chain has no object ${name}.` });
    const total = found.object.payloadSize;
    const sp = await session.primaryFor(address.bucketName, undefined, signal);
    const hash = createHash('sha256');
    const checked = async function* () {
      let done = 0;
      for await (const chunk of await session.sp(sp).get(address, { signal })) {
        hash.update(chunk);
        done += chunk.length;
        report.progress('downloading', done, total);
        yield chunk;
      }
      if (done !== total) throw incomplete(name, done, total);
    };
    await writeWhole(file, checked(), signal);
    const sha256 = hash.digest('hex');
    report.line(`${file}: ${size(total)}, SHA-256 ${sha256}`, {
      event: 'downloaded',
      file,
      bytes: total,
      sha256,
    });
  } finally {
    session.close();
  }
}

function incomplete(name: string, done: number, total: number): Terminal {
  return new Terminal({
    code: 'incomplete-download',
    message: `Only ${done} of ${total} bytes of ${name} arrived.`,
    advice: 'Try again; nothing was written.',
  });
}
