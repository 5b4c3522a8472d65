import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Terminal } from '#protocols/errors';
import type { Role } from '../config/roles.ts';
import type { DevnetAccount } from './genesis.ts';

/** The content of `.devnet/devnet.json`: all that a client needs to find and use a running devnet. */
export interface DevnetFile {
  readonly chain: { readonly rpc: string; readonly chainId: string };
  readonly sps: readonly DevnetFileSp[];
  /** Files with the tokens of the admin servers: for those who look, and for those who act too. */
  readonly adminTokens?: { readonly view: string; readonly act: string };
  /** Funded accounts, with their private keys. */
  readonly accounts: readonly DevnetAccount[];
  /** Id of the process that runs the devnet. */
  readonly pid: number;
}

export interface DevnetFileSp {
  readonly id: number;
  readonly operatorAddress: string;
  readonly endpoint: string;
  readonly gvgFamilyId: number;
  /** URL of the status of its first node for operators. */
  readonly admin: string;
  readonly nodes?: readonly DevnetFileNode[];
  /** The SP's home account. */
  readonly nats: {
    readonly url: string;
    readonly user: string;
    readonly password: string;
    /** Object store that holds the pieces. */
    readonly bucket: string;
  };
}

/** One node of an SP. */
export interface DevnetFileNode {
  readonly name: string;
  readonly roles: readonly Role[];
  /** URL of its status for operators. */
  readonly admin: string;
  /** URL of its own gateway, without the load balancer; absent where it has not that role. */
  readonly gateway?: string;
}

/** The folder of a devnet. */
export interface DevnetDirectory {
  /** Folder of all data of the devnet's processes. */
  readonly state: string;
  /** Path of devnet.json. */
  readonly file: string;
  publish(devnet: DevnetFile): Promise<void>;
  /** Removes devnet.json and releases the folder for another devnet. */
  release(): Promise<void>;
}

/**
 * Claims a folder for a devnet of this process. Data of an earlier devnet is deleted, unless it is to be kept.
 * @throws Terminal `devnet-running` when another process uses it
 */
export async function claimDirectory(path: string, keep: boolean): Promise<DevnetDirectory> {
  const [state, file, lock] = [join(path, 'state'), join(path, 'devnet.json'), join(path, 'lock')];
  const prometheus = join(path, 'prometheus.json');
  await mkdir(path, { recursive: true });
  await takeLock(lock, path);
  await rm(file, { force: true });
  await rm(prometheus, { force: true });
  if (!keep) await rm(state, { recursive: true, force: true });
  await mkdir(state, { recursive: true, mode: 0o700 });
  return {
    state,
    file,
    async publish(devnet) {
      await writeFile(`${file}.new`, `${JSON.stringify(devnet, undefined, 2)}\n`, { mode: 0o600 });
      await rename(`${file}.new`, file);
      await writeFile(prometheus, `${JSON.stringify(prometheusTargets(devnet), undefined, 2)}\n`);
    },
    async release() {
      await rm(file, { force: true });
      await rm(prometheus, { force: true });
      await rm(lock, { force: true });
      held.delete(lock);
    },
  };
}

/** The admin servers of all nodes, as Prometheus reads them (`file_sd_configs`). */
function prometheusTargets({ sps }: DevnetFile): readonly object[] {
  return sps.map(({ id, admin, nodes = [] }) => ({
    targets: [...new Set([admin, ...nodes.map((node) => node.admin)])].map((url) => new URL(url).host),
    labels: { provider: String(id) },
  }));
}

/** Locks held by this process. Our process id in any other lock is that of an earlier process. */
const held = new Set<string>();

/** The lock contains the process id of its owner, and is void once that process has ended. */
async function takeLock(lock: string, path: string): Promise<void> {
  const owner = Number(await readFile(lock, 'utf8').catch(() => ''));
  if (owner === process.pid ? held.has(lock) : isAlive(owner)) throw running(path, owner);
  await rm(lock, { force: true });
  const file = await open(lock, 'wx').catch((cause) => {
    throw running(path, undefined, cause);
  });
  try {
    await file.writeFile(`${process.pid}\n`);
    held.add(lock);
  } finally {
    await file.close();
  }
}

/** True when a process with this id exists. */
export function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function running(path: string, pid: number | undefined, cause?: unknown): Terminal {
  return new Terminal({
    code: 'devnet-running',
    message: `A devnet is already running in ${path}${pid === undefined ? '' : ` (process ${pid})`}.`,
    advice: `Stop it first, or give another folder. If process ${pid ?? 'there'} is not a devnet, remove ${join(path, 'lock')}.`,
    cause,
  });
}
