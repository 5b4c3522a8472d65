import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Terminal, throwIfAborted } from '#protocols/errors';
import { findPostgres } from '#runtime/records/postgres-server';
import type { Logger } from '#runtime/telemetry/logger';
import { compiledProgram } from '../compiled.ts';
import { hasRole } from '../config/roles.ts';
import { startBalancer } from './balancer.ts';
import { claimDirectory, type DevnetDirectory, type DevnetFile } from './directory.ts';
import type { DevnetNats } from './nats-process.ts';
import { natsReady, natsServers } from './nats-servers.ts';
import { type NodeSettings, writeNodeFiles } from './node-files.ts';
import {
  adminTokens,
  type DevnetPlan,
  describeDevnet,
  isCluster,
  nodesOf,
  type PlanOptions,
  planDevnet,
} from './plan.ts';
import { DevnetPostgres } from './postgres-process.ts';
import { DevnetProcess } from './process.ts';

export interface DevnetOptions extends PlanOptions {
  /** Folder of the devnet; devnet.json is written there. */
  readonly directory: string;
  /** Keep the data of an earlier devnet in this folder; its plan is then used too. */
  readonly keep?: boolean;
  /** Time between blocks, ms; 1000 by default. */
  readonly blockTimeMs?: number;
  /** Settings of all nodes that differ from their defaults, for example shorter times for tests. */
  readonly node?: NodeSettings;
  /** Settings of one SP's node instead of `node`. */
  readonly nodeOf?: (spId: number) => NodeSettings;
  /** Options of Node itself for a process, by its name: `chain`, `sp1` and so on. */
  readonly nodeOptionsOf?: (name: string) => readonly string[];
  /** The nats-server; by default the one of this machine, which acknowledges before it syncs. */
  readonly server?: DevnetServer;
  readonly log: Logger;
  /** Cancels the start. */
  readonly signal?: AbortSignal;
  /** Called when a process ended unexpectedly; the others keep running. */
  readonly onCrash?: (error: Terminal) => void;
}

export interface DevnetServer {
  /** Path of the program. */
  readonly binary: string;
  /** It syncs every message before it acknowledges, and the nodes know. Needs 2.10 or later. */
  readonly syncAlways: boolean;
}

/** A running devnet. */
export interface Devnet {
  /** The content of devnet.json. */
  readonly file: DevnetFile;
  /** Path of devnet.json. */
  readonly path: string;
  readonly chain: DevnetProcess;
  /** The nats-server, or the first one of a cluster. */
  readonly nats: DevnetNats;
  readonly natsServers: readonly DevnetNats[];
  /** Present where the nodes of SP 1 have their SQL DB in it. */
  readonly postgres?: DevnetPostgres;
  /** The process of an SP, ids from 1; of its first node, unless another one is named. @throws RangeError */
  sp(id: number, node?: string): DevnetProcess;
  /** Ends every process and removes devnet.json. Their data is kept for inspection until the next start. */
  stop(): Promise<void>;
}

const CHAIN_PROGRAM = compiledProgram('devnet/chain/main');
const NODE_PROGRAM = compiledProgram('node/main');

/**
 * Starts a nats-server, a chain, and a node for each SP, each as a process of its own; resolves when all of them serve
 * (ARCHITECTURE.md#the-devnet).
 * @throws Terminal `devnet-running`, `bad-devnet`, `devnet-process-failed`, `postgres-missing`, as `startNatsServer` and
 * `startPostgresServer`; Cancelled
 */
export async function startDevnet(options: DevnetOptions): Promise<Devnet> {
  throwIfAborted(options.signal);
  const directory = await claimDirectory(options.directory, options.keep ?? false);
  const stops: (() => Promise<void>)[] = [() => directory.release()];
  const stop = async () => {
    for (let next = stops.pop(); next; next = stops.pop()) await next();
  };
  try {
    return await start(options, directory, stops, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  options: DevnetOptions,
  directory: DevnetDirectory,
  stops: (() => Promise<void>)[],
  stop: () => Promise<void>,
): Promise<Devnet> {
  const { log, signal } = options;
  const plan = await loadPlan(directory, options);
  if (plan.postgres && !(await findPostgres())) throw postgresMissing();
  const logs = join(directory.state, 'log');
  await mkdir(logs, { recursive: true });
  const onCrash = (error: Terminal) => {
    log.error({ error }, error.message);
    options.onCrash?.(error);
  };
  const processOf = (name: string, program: string, args: readonly string[]) =>
    new DevnetProcess({
      name,
      program,
      args,
      nodeOptions: options.nodeOptionsOf?.(name) ?? [],
      logFile: join(logs, `${name}.log`),
      onCrash,
    });

  const servers = natsServers({
    plan,
    folder: join(directory.state, 'nats'),
    onCrash,
    ...(options.server && { server: options.server }),
    ...(signal && { signal }),
  });
  for (const server of servers) {
    stops.push(() => server.stop());
    await server.start();
    log.info({ pid: server.pid }, 'nats-server runs');
  }
  await natsReady(plan, signal);

  const chain = processOf('chain', CHAIN_PROGRAM, await chainArguments(directory, plan, options));
  stops.push(() => chain.stop());
  const postgres = plan.postgres && databaseOf(directory, plan.postgres, onCrash);
  if (postgres) {
    stops.push(() => postgres.stop());
    await postgres.start();
    log.info({ pid: postgres.pid, port: plan.postgres?.port }, 'PostgreSQL runs');
  }
  const nodes = new Map<string, DevnetProcess>();
  for (const [index, { id }] of plan.genesis.sps.entries()) {
    const { syncAlways = false } = options.server ?? {};
    const settings = { syncAlways, ...options.node, ...options.nodeOf?.(id) };
    for (const node of nodesOf(plan, index)) {
      const config = await writeNodeFiles(join(directory.state, `sp${id}`), plan, index, settings, node);
      const name = isCluster(plan, index) ? `sp${id}-${node.name}` : `sp${id}`;
      nodes.set(`${id}/${node.name}`, processOf(name, NODE_PROGRAM, ['--config', config]));
    }
  }
  stops.push(async () => {
    await Promise.all([...nodes.values()].map((node) => node.stop()));
  });
  // Nodes wait for the chain themselves, so all can be started at once.
  await allOrNone([chain, ...nodes.values()], log, signal);
  if (isCluster(plan, 0)) {
    const gateways = plan.nodes
      .filter(({ roles }) => hasRole(roles, 'gateway'))
      .map(({ gateway }) => gateway);
    const balancer = await startBalancer(plan.ports.gateways[0] as number, gateways);
    stops.push(() => balancer.close());
  }

  const file = describeDevnet(plan, process.pid, await writeTokens(directory, plan));
  await directory.publish(file);
  return {
    file,
    path: directory.file,
    chain,
    nats: servers[0] as DevnetNats,
    natsServers: servers,
    ...(postgres && { postgres }),
    sp(id, node = 'a') {
      const found = nodes.get(`${id}/${node}`);
      if (!found) throw new RangeError(`the devnet has no node ${node} of SP ${id}`);
      return found;
    },
    stop,
  };
}

/** Starts processes concurrently; if one fails, the start of the others is cancelled. */
async function allOrNone(
  processes: readonly DevnetProcess[],
  log: Logger,
  signal: AbortSignal | undefined,
): Promise<void> {
  const failure = new AbortController();
  const either = AbortSignal.any([failure.signal, ...(signal ? [signal] : [])]);
  const starts = processes.map(async (one) => {
    try {
      const ports = await one.start(either);
      log.info({ pid: one.pid, ...ports }, `${one.name} runs`);
    } catch (error) {
      failure.abort(error);
      throw error;
    }
  });
  await Promise.allSettled(starts);
  throwIfAborted(either);
}

function postgresMissing(): Terminal {
  return new Terminal({
    code: 'postgres-missing',
    message:
      'The nodes of a provider share their SQL DB in PostgreSQL, which was not found in the PATH or in /usr/lib/postgresql.',
    advice: 'Install it, for example with apt install postgresql.',
  });
}

function databaseOf(
  directory: DevnetDirectory,
  { port, password }: NonNullable<DevnetPlan['postgres']>,
  onCrash: (error: Terminal) => void,
): DevnetPostgres {
  const folder = join(directory.state, 'postgres');
  return new DevnetPostgres({ folder, port, password, detached: true }, onCrash);
}

async function loadPlan(directory: DevnetDirectory, options: PlanOptions): Promise<DevnetPlan> {
  const path = join(directory.state, 'plan.json');
  const kept = await readFile(path, 'utf8').catch(() => undefined);
  // A plan of an earlier version has no tokens.
  if (kept !== undefined) return { adminTokens: adminTokens(), ...JSON.parse(kept) } as DevnetPlan;
  const plan = await planDevnet(options);
  await writeFile(path, JSON.stringify(plan), { mode: 0o600 });
  return plan;
}

/** @returns paths of the files, for devnet.json */
async function writeTokens(
  { state }: DevnetDirectory,
  plan: DevnetPlan,
): Promise<NonNullable<DevnetFile['adminTokens']>> {
  const write = async (role: 'view' | 'act') => {
    const path = resolve(state, `admin-${role}.token`);
    await writeFile(path, `${plan.adminTokens[role]}\n`, { mode: 0o600 });
    return path;
  };
  return { view: await write('view'), act: await write('act') };
}

async function chainArguments(
  directory: DevnetDirectory,
  plan: DevnetPlan,
  { blockTimeMs = 1_000 }: DevnetOptions,
): Promise<readonly string[]> {
  const genesis = join(directory.state, 'genesis.json');
  await writeFile(genesis, JSON.stringify(plan.genesis.chain));
  return [
    ...['--genesis', genesis],
    ...['--data', join(directory.state, 'chain')],
    ...['--port', String(plan.ports.chain)],
    ...['--block-time', String(blockTimeMs)],
  ];
}
