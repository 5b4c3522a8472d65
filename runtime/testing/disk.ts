import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';

const run = promisify(execFile);
const BYTES = 256 * 2 ** 20;
/** Nothing reaches the disk by itself meanwhile, only what is synced. */
const COMMIT_SECONDS = 600;

/** A file system in a file. What was written to it and not synced is in memory, and not yet in that file. */
export interface Disk {
  /** Where it is mounted. */
  readonly folder: string;
  /** The disk as it would be after a power cut now: what was not synced is lost. Suspend whoever writes meanwhile. */
  afterPowerCut(): Promise<Disk>;
}

/** Whether this process may mount file systems: as root, and where there are loop devices. */
export async function canMount(): Promise<boolean> {
  const cleanings: (() => Promise<void>)[] = [];
  try {
    await newDisk({ teardown: (clean) => cleanings.push(clean as () => Promise<void>) });
    return true;
  } catch {
    return false;
  } finally {
    for (const clean of cleanings.reverse()) await clean();
  }
}

/** An empty disk, which is unmounted and removed at the end of the test. @throws where `canMount` says no */
export async function newDisk(t: Pick<ExecutionContext, 'teardown'>): Promise<Disk> {
  const place = await mkdtemp(join(tmpdir(), 'sealion-disk-'));
  t.teardown(() => rm(place, { recursive: true, force: true }));
  const image = join(place, 'image');
  await writeFile(image, '');
  await truncate(image, BYTES);
  await run('mkfs.ext4', ['-q', '-F', image]);
  return mounted(t, image);
}

async function mounted(t: Pick<ExecutionContext, 'teardown'>, image: string): Promise<Disk> {
  const folder = `${image}-mounted`;
  await mkdir(folder);
  await run('mount', ['-o', `loop,commit=${COMMIT_SECONDS}`, image, folder]);
  t.teardown(async () => void (await run('umount', [folder])));
  let cuts = 0;
  return {
    folder,
    async afterPowerCut() {
      cuts += 1;
      const copy = `${image}-${cuts}`;
      await copyFile(image, copy);
      return mounted(t, copy);
    },
  };
}
