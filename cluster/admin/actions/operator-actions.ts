import { randomUUID } from 'node:crypto';
import { Terminal, toSealionError } from '#protocols/errors';
import { replay } from '#protocols/job/evolve';
import { formatJobId, type JobId, parseJobId } from '#protocols/job/identity';
import { isFromUploadDone, isTerminal } from '#protocols/job/states';
import type { Calls } from '#runtime/home/calls';
import type { Directory } from '#runtime/home/home';
import type { JobQueue } from '#runtime/jobs/job-queue';
import type { Journal } from '#runtime/journal/journal';
import type { Audit } from '#runtime/records/audit';
import type { Logger } from '#runtime/telemetry/logger';
import type { KnownNodes } from '../view/known-nodes.ts';
import type { ActionRequest, Actions, Following, Operator } from './action.ts';
import type { Bans } from './bans.ts';
import { controlSubject, type NodeAction } from './node-controls.ts';
import { repair } from './repair.ts';

export interface OperatorActionsOptions {
  /** For example `sp-1@a`. */
  readonly node: string;
  readonly spId: number;
  readonly journal: Pick<Journal, 'read'>;
  readonly queue: Pick<JobQueue, 'hasten'>;
  readonly directory: Pick<Directory, 'find'>;
  readonly calls: Pick<Calls, 'call'>;
  readonly bans: Bans;
  readonly known: KnownNodes;
  readonly audit: Audit;
  readonly log: Logger;
}

const CALL_MS = 15_000;
const DEFAULT_MINUTES = 60;

/** Every action is recorded before it is begun, and its outcome after it. */
export function operatorActions(options: OperatorActionsOptions): Actions {
  const { audit, log } = options;
  return {
    async perform(request, by, following = {}) {
      const { id = randomUUID() } = following;
      const { action, target, reason } = request;
      const who = nameOf(by);
      const entry = { id, at: Date.now(), who, action, target };
      await audit.begin({ ...entry, ...(reason !== undefined && reason !== '' && { reason }) });
      const end = (outcome: string, isDone: boolean) =>
        audit.end(id, { outcome, isDone }).catch((thrown: unknown) => {
          log.error({ error: toSealionError(thrown), ...entry, outcome }, 'could not record an action');
        });
      try {
        const outcome = await perform(request, who, options, following);
        log.info({ ...entry, outcome }, 'an operator has acted');
        await end(outcome, true);
        return outcome;
      } catch (thrown) {
        const error = toSealionError(thrown);
        log.warn({ ...entry, error }, 'an action of an operator was refused or failed');
        await end(`${error.code}: ${error.message}`, false);
        throw error;
      }
    },
    audit: (limit) => audit.newest(limit),
  };
}

function nameOf({ role, name, address }: Operator): string {
  return [name ?? `token for ${role}`, ...(address === undefined ? [] : [`at ${address}`])].join(' ');
}

function perform(
  { action, target, minutes = DEFAULT_MINUTES }: ActionRequest,
  by: string,
  options: OperatorActionsOptions,
  following: Following,
): Promise<string> {
  switch (action) {
    case 'retry':
      return retry(parseJobId(target), options);
    case 'reject':
      return reject(parseJobId(target), by, options);
    case 'repair':
      return repair(parseJobId(target), options.calls, following);
    case 'drain':
    case 'undrain':
    case 'pause-intake':
    case 'resume-intake':
      return control(nodeIn(target, options), { action, target, by }, options);
    case 'ban-peer':
      return ban(spIn(target, options), minutes, by, options);
    case 'unban-peer':
      return unban(spIn(target, options), options);
    case 'forget-node':
      return forget(nodeIn(target, options), options);
  }
}

/** A job that waits for its next try is tried at once; whoever gets it decides what the next try is. */
async function retry(job: JobId, { journal, directory, queue }: OperatorActionsOptions): Promise<string> {
  const context = replay((await journal.read(job)).map(({ event }) => event));
  const name = formatJobId(job);
  if (!context) throw refused('not-found', `This storage provider does not know the job ${name}.`);
  const { state } = context;
  if (isTerminal(state)) throw refused('job-transition', `The job ${name} has ended: ${state}.`);
  if (!isFromUploadDone(state)) {
    throw refused('job-transition', `The job ${name} waits for its client, who has to upload the payload.`);
  }
  const owner = await directory.find(job);
  if (owner) throw refused('job-in-work', `${owner.node} works on the job ${name} right now.`);
  await queue.hasten(job);
  return 'The job is tried again now.';
}

/** Its owner decides; if it has none, this node owns it for as long as that takes. */
async function reject(job: JobId, by: string, options: OperatorActionsOptions): Promise<string> {
  const { directory, spId, node, queue } = options;
  const owner = await directory.find(job);
  const target = formatJobId(job);
  const at = owner ? `sp-${spId}@${owner.node}` : node;
  const outcome = await control(at, { action: 'reject', target, by }, options);
  if (!owner) await queue.hasten(job);
  return outcome;
}

async function control(node: string, action: NodeAction, { calls }: OperatorActionsOptions): Promise<string> {
  return String(await calls.call(controlSubject(node), action, { timeoutMs: CALL_MS }));
}

async function ban(
  spId: number,
  minutes: number,
  by: string,
  { bans }: OperatorActionsOptions,
): Promise<string> {
  const until = Date.now() + minutes * 60_000;
  await bans.ban(spId, { until, by });
  return `SP ${spId} is banned until ${new Date(until).toISOString()}, over restarts too.`;
}

async function unban(spId: number, { bans }: OperatorActionsOptions): Promise<string> {
  await bans.unban(spId);
  return `SP ${spId} is not banned any more.`;
}

/** A node that will not come back is no longer named as silent. */
async function forget(node: string, { known, node: own }: OperatorActionsOptions): Promise<string> {
  if (node === own) throw refused('bad-action', `${node} runs.`);
  await known.stopped(node);
  return `${node} is no longer awaited.`;
}

/** The full name of a node, which may be given without that of the SP. */
function nodeIn(target: string, { spId }: OperatorActionsOptions): string {
  const name = target.startsWith(`sp-${spId}@`) ? target.slice(`sp-${spId}@`.length) : target;
  if (/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/.test(name)) return `sp-${spId}@${name}`;
  throw refused('bad-action', `"${target}" is not the name of a node of this storage provider.`);
}

function spIn(target: string, { spId }: OperatorActionsOptions): number {
  const id = Number(target);
  if (Number.isSafeInteger(id) && id > 0 && id < 2 ** 32 && id !== spId) return id;
  throw refused('bad-action', `"${target}" is not the id of another storage provider.`);
}

function refused(code: string, message: string): Terminal {
  return new Terminal({ code, message });
}
