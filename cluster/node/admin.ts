import type { ServerResponse } from 'node:http';
import type { SpaceReport } from '#actors/caretaker/space/report';
import { Retryable, type SealionError, Terminal, toSealionError } from '#protocols/errors';
import { splitTarget } from '#protocols/greenfield/request-target';
import { replay } from '#protocols/job/evolve';
import { type JobId, parseJobId } from '#protocols/job/identity';
import type { TreeNode } from '#runtime/actors/types';
import type { Durability } from '#runtime/home/home';
import { openHttpServer } from '#runtime/http/server';
import type { Journal } from '#runtime/journal/journal';
import type { LoadReport } from '#runtime/load/background';
import type { Records } from '#runtime/records/records';
import type { Logger } from '#runtime/telemetry/logger';
import { printableJson } from '#runtime/telemetry/printable';
import { type Caller, checkCaller } from './admin-callers.ts';

/** Whether a node wants clients: not before all of it serves, and not once it has been asked to stop. */
export type Readiness = 'starting' | 'ready' | 'draining';

/** Sources of the data that the admin server shows. */
export interface AdminDependencies {
  /** For example `sp-1@node-a`. */
  readonly node: string;
  readonly spId: number;
  readonly durability: Durability;
  readonly tree: () => TreeNode;
  readonly journal: Pick<Journal, 'read'>;
  readonly records: Pick<Records, 'jobs'>;
  /** Differences between the stored data and the chain. */
  readonly space: () => Promise<SpaceReport>;
  /** How busy the node is, and how much background work it therefore allows. */
  readonly load: () => LoadReport;
  readonly readiness: () => Readiness;
  readonly log: Logger;
}

/** Address and host names of the admin server. */
export interface AdminAddress {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** Further names, in addition to loopback names and the address itself; lower case, without port. */
  readonly hosts: readonly string[];
}

export interface AdminServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Maximum number of jobs in the answer to `/jobs`. */
const JOBS_SHOWN = 100;
const MAX_CONNECTIONS = 256;

/**
 * Serves a node's state to operators and the command line, as JSON and without a password: it must listen on a private
 * address. Requests from web pages are refused (`checkCaller`), since a browser lets any page send them.
 *
 * - `GET /health` that it is running, and the durability of acknowledged payloads
 * - `GET /ready` 200 while load balancers may send it clients, 503 before and after
 * - `GET /tree` the supervision tree (`TreeNode`)
 * - `GET /space` amounts of stored data: needed, unneeded and waiting to be deleted, incomplete (`SpaceReport`)
 * - `GET /load` event loop delay, requests in progress, number and limit of jobs in work (`LoadReport`)
 * - `GET /jobs` the newest jobs (`JobRecord`s, from the SQL DB)
 * - `GET /jobs/<object id>.<version>` a job's state and history (from the journal)
 *
 * @throws Terminal `cannot-listen`
 */
export async function serveAdmin(
  dependencies: AdminDependencies,
  { host, port, hosts }: AdminAddress,
): Promise<AdminServer> {
  const since = Date.now();
  const answer = async (caller: Caller): Promise<unknown> => {
    checkCaller(caller, [host, ...hosts]);
    if (caller.method !== 'GET') throw onlyGet();
    const { path } = splitTarget(caller.url ?? '/');
    const { node, spId, durability } = dependencies;
    if (path === '/health')
      return { status: 'serving', readiness: dependencies.readiness(), node, spId, durability, since };
    if (path === '/ready') return ready(dependencies);
    if (path === '/tree') return dependencies.tree();
    if (path === '/load') return dependencies.load();
    if (path === '/space') return dependencies.space();
    if (path === '/jobs') return dependencies.records.jobs({ limit: JOBS_SHOWN });
    const job = /^\/jobs\/([0-9.]+)$/.exec(path)?.[1];
    if (job !== undefined) return jobView(parseJobId(job), dependencies.journal);
    throw notFound(
      `There is no page ${path}.`,
      'Ask for /health, /ready, /tree, /space, /load, /jobs or /jobs/<object id>.<version>.',
    );
  };
  const server = await openHttpServer({
    name: 'The admin server',
    setting: 'admin.listen',
    host,
    port,
    handle: (request, response) =>
      answer(request).then(
        (found) => send(response, 200, found),
        (thrown: unknown) => {
          const error = toSealionError(thrown);
          const { code, message, advice } = error;
          send(response, statusOf(error), { code, message, advice });
        },
      ),
    malformed: { type: 'application/json', body: JSON.stringify({ code: 'bad-request' }) },
    maxConnections: MAX_CONNECTIONS,
    log: dependencies.log,
  });
  return {
    port: server.port,
    close: () => {
      const closed = server.close();
      server.disconnect();
      return closed;
    },
  };
}

/** @throws Retryable `not-ready` */
function ready({ node, readiness }: AdminDependencies): {
  readonly status: Readiness;
  readonly node: string;
} {
  const status = readiness();
  if (status === 'ready') return { status, node };
  throw new Retryable({
    code: 'not-ready',
    message: `${node} is ${status}.`,
    advice: 'Send clients to another node of the storage provider.',
  });
}

async function jobView(job: JobId, journal: Pick<Journal, 'read'>): Promise<unknown> {
  const history = await journal.read(job);
  const events = history.map(({ event }) => event);
  const context = replay(events);
  if (context) return { context, events };
  throw notFound(
    `This node does not know the job ${job.objectId}.${job.version}.`,
    'Ask the node of the primary SP.',
  );
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'x-content-type-options': 'nosniff' });
  response.end(`${printableJson(body)}\n`);
}

function statusOf(error: SealionError): number {
  if (error.kind !== 'terminal') return 503;
  return STATUS[error.code] ?? 400;
}

const STATUS: Readonly<Record<string, number>> = {
  'foreign-page': 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'unknown-host': 421,
};

function notFound(message: string, advice: string): Terminal {
  return new Terminal({ code: 'not-found', message, advice });
}

function onlyGet(): Terminal {
  return new Terminal({ code: 'method-not-allowed', message: 'Only GET is supported here.' });
}
