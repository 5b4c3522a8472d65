import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type SealionError, Terminal, toSealionError } from '../../protocols/errors.ts';
import { replay } from '../../protocols/job/evolve.ts';
import { type JobId, parseJobId } from '../../protocols/job/identity.ts';
import type { TreeNode } from '../../runtime/actors/types.ts';
import type { Durability } from '../../runtime/home/home.ts';
import type { Journal } from '../../runtime/journal/journal.ts';
import type { Records } from '../../runtime/records/records.ts';

/** What operators see of a node. */
export interface AdminParts {
  /** For example `sp-1@node-a`. */
  readonly node: string;
  readonly spId: number;
  readonly durability: Durability;
  readonly tree: () => TreeNode;
  readonly journal: Pick<Journal, 'read'>;
  readonly records: Pick<Records, 'jobs'>;
}

export interface AdminServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Jobs that `/jobs` shows. */
const JOBS_SHOWN = 100;

/**
 * Serves what operators and the command line ask of a node, as JSON, without a password: for a private address.
 *
 * - `GET /health` that it serves, and what an acknowledgement is worth
 * - `GET /tree` the supervision tree (`TreeNode`)
 * - `GET /jobs` the newest jobs (`JobRecord`s, from the SQL DB)
 * - `GET /jobs/<object id>.<version>` a job's state and history (from the journal)
 *
 * @throws Terminal `cannot-listen`
 */
export async function serveAdmin(
  parts: AdminParts,
  listen: { readonly host: string; readonly port: number },
): Promise<AdminServer> {
  const since = Date.now();
  const answer = async (path: string): Promise<unknown> => {
    const { node, spId, durability } = parts;
    if (path === '/health') return { status: 'serving', node, spId, durability, since };
    if (path === '/tree') return parts.tree();
    if (path === '/jobs') return parts.records.jobs({ limit: JOBS_SHOWN });
    const job = /^\/jobs\/([0-9.]+)$/.exec(path)?.[1];
    if (job !== undefined) return jobView(parseJobId(job), parts.journal);
    throw notFound(
      `There is nothing at ${path}.`,
      'Ask for /health, /tree, /jobs or /jobs/<object id>.<version>.',
    );
  };
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://admin').pathname;
    const answered = request.method === 'GET' ? answer(path) : Promise.reject(onlyGet());
    void answered.then(JSON.stringify).then(
      (json) => send(response, 200, json),
      (thrown: unknown) => {
        const error = toSealionError(thrown);
        const { code, message, advice } = error;
        send(response, statusOf(error), JSON.stringify({ code, message, advice }));
      },
    );
  });
  await startListening(server, listen);
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function jobView(job: JobId, journal: Pick<Journal, 'read'>): Promise<unknown> {
  const history = await journal.read(job);
  const events = history.map(({ event }) => event);
  const context = replay(events);
  if (context) return { context, events };
  throw notFound(`This node knows no job ${job.objectId}.${job.version}.`, 'Ask the node of the primary SP.');
}

async function startListening(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<void> {
  server.listen(port, host);
  await once(server, 'listening').catch((cause: Error) => {
    throw new Terminal({
      code: 'cannot-listen',
      message: `The admin server cannot listen on ${host}:${port}: ${cause.message}.`,
      advice: 'Choose a free port and an address of this machine for admin.listen.',
      cause,
    });
  });
}

function send(response: ServerResponse, status: number, json: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${json}\n`);
}

function statusOf(error: SealionError): number {
  if (error.kind !== 'terminal') return 503;
  return STATUS[error.code] ?? 400;
}

const STATUS: Readonly<Record<string, number>> = { 'not-found': 404, 'method-not-allowed': 405 };

function notFound(message: string, advice: string): Terminal {
  return new Terminal({ code: 'not-found', message, advice });
}

function onlyGet(): Terminal {
  return new Terminal({ code: 'method-not-allowed', message: 'Only GET is answered here.' });
}
