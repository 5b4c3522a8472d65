import { basename } from 'node:path';
import type { Redundancy } from '#protocols/greenfield/types';
import { type UploadEvent, uploadFile, waitForSeal } from '../client/upload.ts';
import { readNetwork } from './network.ts';
import type { Reporter } from './reporter.ts';
import { parseObjectName, Session } from './session.ts';
import { duration, size } from './units.ts';

export interface PutOptions {
  readonly network: string;
  readonly sp?: number;
  readonly redundancy: Redundancy;
  readonly contentType?: string;
  /** Wait for the seal; otherwise return at the acknowledgement. */
  readonly wait: boolean;
}

/** `sealion put FILE BUCKET/OBJECT` */
export async function put(
  file: string,
  name: string | undefined,
  options: PutOptions,
  report: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const path = name ?? `sealion/${basename(file)}`;
  const address = parseObjectName(path);
  const session = await Session.open(await readNetwork(options.network));
  try {
    const sp = await session.primaryFor(address.bucketName, options.sp, signal);
    const { chain, account } = session;
    const { redundancy, contentType } = options;
    const started = Date.now();
    const object = await uploadFile(
      file,
      {
        ...address,
        chain,
        account,
        sp: session.sp(sp),
        primary: sp,
        redundancy,
        ...(contentType ? { contentType } : {}),
      },
      {
        signal,
        onEvent: (event) => report.line(uploadLine(event, sp.id), { ...event }),
        onProgress: (done, total) => report.progress('uploading', done, total),
      },
    );
    if (!options.wait) return;
    const uploaded = object.status !== 'SEALED';
    if (uploaded) {
      report.line('waiting for the seal; Ctrl-C ends the wait; the provider finishes in the background', {
        event: 'waiting',
      });
    }
    const sealed = await waitForSeal(chain, object.id, signal);
    const ms = Date.now() - started;
    report.line(`sealed${uploaded ? ` after ${duration(ms)}` : ''}: ${path} is object ${object.id}`, {
      event: 'sealed',
      objectId: object.id,
      gvgId: sealed.gvg?.id,
      ms,
    });
  } finally {
    session.close();
  }
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
    case 'acknowledged':
      return `storage provider ${spId} has the payload after ${duration(event.ms)}${event.durability ? ` (${event.durability})` : ''}`;
  }
}
