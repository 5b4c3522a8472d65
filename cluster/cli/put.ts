import { getMimeType } from 'hono/utils/mime';
import { Retryable, type SealionError, Terminal, throwIfAborted, toSealionError } from '#protocols/errors';
import type { ObjectInfo, Redundancy } from '#protocols/greenfield/types';
import { type UploadEvent, uploadFile, waitForSeal } from '../client/upload.ts';
import { readNetwork } from './network.ts';
import type { Reporter } from './reporter.ts';
import { Session } from './session.ts';
import { asFile, type Source, sourcesOf } from './sources.ts';
import { count, duration, size } from './units.ts';
import { STANDARD_STREAM, VISIBILITIES } from './values.ts';

export interface PutOptions {
  readonly network: string;
  readonly sp?: number;
  readonly redundancy: Redundancy;
  /** By default it is guessed from the name of each object. */
  readonly contentType?: string;
  readonly visibility: keyof typeof VISIBILITIES;
  /** Wait for the seal; otherwise return at the acknowledgement. */
  readonly wait: boolean;
}

/** Label of the progress bar. */
const UPLOADING = 'uploading';

/** An upload that has been acknowledged, now or by an earlier command. */
interface Uploaded {
  readonly name: string;
  readonly object: ObjectInfo;
  /** `performance.now()` at its start. */
  readonly since: number;
}

/**
 * `sealion put FILE… [BUCKET/OBJECT]`: uploads one file after the other, then waits for all seals. After a file has
 * failed, the others are still uploaded.
 * @throws the error of a single file; `files-failed` for several files, Retryable if all of their errors are
 */
export async function put(
  args: readonly string[],
  options: PutOptions,
  report: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const sources = await sourcesOf(args);
  const session = await Session.open(await readNetwork(options.network));
  try {
    const several = sources.length > 1;
    const uploaded: Uploaded[] = [];
    const failed: SealionError[] = [];
    const attempt = async (name: string, work: () => Promise<void>) => {
      try {
        await work();
      } catch (thrown) {
        throwIfAborted(signal);
        if (!several) throw thrown;
        const error = toSealionError(thrown);
        failed.push(error);
        const { code, message } = error;
        report.line(`${name}: failed: ${message} (${code})`, { event: 'file-failed', name, code, message });
      }
    };
    for (const source of sources) {
      const name = nameOf(source);
      const own = several ? named(report, name) : report;
      await attempt(
        name,
        async () => void uploaded.push(await upload(source, session, options, own, signal)),
      );
    }
    if (options.wait) {
      if (uploaded.some(({ object }) => object.status !== 'SEALED')) {
        report.line(
          'waiting for the seal; Ctrl-C ends the wait, and the provider finishes in the background',
          {
            event: 'waiting',
          },
        );
      }
      for (const one of uploaded) await attempt(one.name, () => awaitSeal(one, session, report, signal));
    }
    if (failed.length > 0) throw filesFailed(failed, sources.length);
  } finally {
    session.close();
  }
}

async function upload(
  source: Source,
  session: Session,
  options: PutOptions,
  report: Reporter,
  signal: AbortSignal,
): Promise<Uploaded> {
  if (source.file === STANDARD_STREAM) {
    return asFile(process.stdin, signal, (file) =>
      upload({ ...source, file }, session, options, report, signal),
    );
  }
  const { address } = source;
  const { chain, account } = session;
  const sp = await session.primaryFor(address.bucketName, options.sp, signal);
  const since = performance.now();
  const contentType = options.contentType ?? getMimeType(address.objectName);
  const object = await uploadFile(
    source.file,
    {
      ...address,
      chain,
      account,
      sp: session.sp(sp),
      primary: sp,
      redundancy: options.redundancy,
      visibility: VISIBILITIES[options.visibility],
      ...(contentType ? { contentType } : {}),
    },
    {
      signal,
      onEvent: (event) => report.line(uploadLine(event, sp.id), { ...event }),
      onHashed: (done, total) => report.progress('computing checksums', done, total),
      onProgress: (done, total) => report.progress(UPLOADING, done, total),
    },
  );
  return { name: nameOf(source), object, since };
}

async function awaitSeal(
  { name, object, since }: Uploaded,
  { chain }: Session,
  report: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const isNew = object.status !== 'SEALED';
  const sealed = await waitForSeal(chain, object.id, signal);
  const ms = Math.round(performance.now() - since);
  report.line(`${name}: sealed as object ${object.id}${isNew ? ` after ${duration(ms)}` : ''}`, {
    event: 'sealed',
    name,
    objectId: object.id,
    gvgId: sealed.gvg?.id,
    ms,
  });
}

/** A reporter for one of several files: adds the name to the beginning of each line and to each JSON object. */
function named(report: Reporter, name: string): Reporter {
  return {
    line: (text, fields) => {
      const lines = typeof text === 'string' ? [text] : text;
      report.line(
        lines.map((line) => `${name}: ${line}`),
        { name, ...fields },
      );
    },
    progress: (what, done, total) =>
      report.progress(what === UPLOADING ? name : `${name}: ${what}`, done, total),
    failure: (error) => report.failure(error),
  };
}

function nameOf({ address: { bucketName, objectName } }: Source): string {
  return `${bucketName}/${objectName}`;
}

function filesFailed(failed: readonly SealionError[], all: number): SealionError {
  const facts = {
    code: 'files-failed',
    message: `${failed.length} of ${count(all, 'file')} failed.`,
    advice: 'Run the command again: what has been uploaded is not sent again.',
  };
  return failed.every((error) => error instanceof Retryable) ? new Retryable(facts) : new Terminal(facts);
}

/** The text of an upload event. */
export function uploadLine(event: UploadEvent, spId: number): string {
  switch (event.event) {
    case 'checksums-computed':
      return `computed the seven checksums of ${size(event.size)}`;
    case 'bucket-created':
      return `created bucket ${event.bucketId} at storage provider ${spId}`;
    case 'object-found':
      return `object ${event.objectId} is already on chain (${event.status})`;
    case 'object-created':
      return `created object ${event.objectId} on chain`;
    case 'resumed':
      return `storage provider ${spId} has the first ${size(event.offset)} already`;
    case 'acknowledged':
      return `storage provider ${spId} has the payload after ${duration(event.ms)}${event.durability ? ` (${event.durability})` : ''}`;
  }
}
