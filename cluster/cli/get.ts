import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { basename, join } from 'node:path';
import { Terminal } from '#protocols/errors';
import { type Content, currentContent } from '#protocols/greenfield/content';
import { PayloadHash } from '#protocols/integrity/payload-hash';
import { payloadFrom } from '../client/download.ts';
import { writeOrContinue } from '../client/file.ts';
import { readNetwork } from './network.ts';
import type { Reporter } from './reporter.ts';
import { parseObjectName, Session } from './session.ts';
import { isFolder } from './sources.ts';
import { size } from './units.ts';
import { STANDARD_STREAM } from './values.ts';

/**
 * `sealion get BUCKET/OBJECT [FILE]`: downloads an object. The file appears only when every byte has arrived and
 * matches the checksums on chain. An interrupted download continues from `FILE.part`.
 * @throws Terminal `integrity-mismatch`
 */
export async function get(
  name: string,
  target: string | undefined,
  options: { readonly network: string },
  report: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const address = parseObjectName(name);
  const file = await fileOf(target, address.objectName);
  const session = await Session.open(await readNetwork(options.network));
  try {
    const found = await session.chain.object(address.bucketName, address.objectName, { signal });
    if (!found) throw new Terminal({ code: 'no-such-object', message: `The chain has no object ${name}.` });
    const content = currentContent(found);
    const total = content.payloadSize;
    const { maxSegmentSize } = await session.chain.storageParams(content.announcedAt, { signal });
    const sp = session.sp(await session.primaryFor(address.bucketName, undefined, signal));
    const receive = async function* (from: number) {
      if (from > 0) {
        report.line(`continuing after ${size(from)} that arrived before`, { event: 'resumed', offset: from });
      }
      let done = from;
      for await (const chunk of payloadFrom(sp, address, { from, total }, signal)) {
        done += chunk.length;
        report.progress('downloading', done, total);
        yield chunk;
      }
    };
    const sums = new Sums(name, content, maxSegmentSize);
    if (file === STANDARD_STREAM) {
      for await (const chunk of receive(0)) {
        sums.update(chunk);
        if (!process.stdout.write(chunk)) await once(process.stdout, 'drain', { signal });
      }
      sums.check();
    } else {
      const check = async (partial: string) => {
        for await (const chunk of createReadStream(partial, { signal })) sums.update(chunk);
        sums.check();
      };
      await writeOrContinue(file, total, receive, check, signal);
    }
    const { sha256 } = sums;
    const where = file === STANDARD_STREAM ? name : file;
    report.line(`${where}: ${size(total)}, SHA-256 ${sha256}`, {
      event: 'downloaded',
      file,
      bytes: total,
      sha256,
    });
  } finally {
    session.close();
  }
}

/**
 * The file to write. Without a target, or if it is a folder, its name is the last part of the object's name.
 * @throws Terminal `no-name` when the object's name has no such part
 */
async function fileOf(target: string | undefined, objectName: string): Promise<string> {
  if (target === STANDARD_STREAM) return target;
  if (target !== undefined && !(await isFolder(target))) return target;
  if (!objectName.endsWith('/')) return join(target ?? '', basename(objectName));
  throw new Terminal({
    code: 'no-name',
    message: `No file name can be derived from ${objectName}.`,
    advice: 'Give the path of a file to write to.',
  });
}

/** Checksums of the received bytes. */
class Sums {
  sha256 = '';
  readonly #name: string;
  readonly #content: Content;
  readonly #sha256 = createHash('sha256');
  readonly #payload: PayloadHash;

  constructor(name: string, content: Content, maxSegmentSize: number) {
    this.#name = name;
    this.#content = content;
    this.#payload = new PayloadHash(maxSegmentSize);
  }

  update(chunk: Uint8Array): void {
    this.#sha256.update(chunk);
    this.#payload.update(chunk);
  }

  /** Compares with the chain, which has no checksums of a delegated upload before its seal. @throws Terminal */
  check(): void {
    this.sha256 = this.#sha256.digest('hex');
    const [expected] = this.#content.checksums;
    if (expected === undefined || this.#payload.digest() === expected) return;
    throw new Terminal({
      code: 'integrity-mismatch',
      message: `The bytes received of ${this.#name} do not match the checksum on chain.`,
      advice: 'They were deleted. Run the command again to download the whole object.',
    });
  }
}
