import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import test from 'ava';
import { formatJobId } from '#protocols/job/identity';
import type { AuditEntry } from '#runtime/records/audit';
import { FollowedActions } from '../admin/actions/followed-actions.ts';
import { operatorApi } from '../admin/api/api.ts';
import { answersOf } from '../admin/api/endpoint.ts';
import { noActions, ownNode, viewOf } from '../admin/testing/view.ts';
import type { JobView } from '../admin/view/job-view.ts';
import type { NodeReports } from '../admin/view/node-report.ts';
import { AdminApi } from '../client/admin-api.ts';
import { compiledProgram } from '../compiled.ts';
import type { WaitingObject } from './offers.ts';
import { leaksIn, logsOf, secretsOf } from './secrets.ts';
import { until } from './until.ts';
import { network } from './users.ts';

/** What an operator sees and does, by the API of a node's admin server. */

const KIB = 1_024;

const api = () => network().admin(network().devnet.file.sps[0]?.admin ?? '');

async function view({ job }: WaitingObject): Promise<JobView> {
  return (await api()).get<JobView>(`/api/jobs/${formatJobId(job)}`);
}

async function act(action: string, target: string, more: object = {}): Promise<string> {
  const answer = await (await api()).post<{ outcome: string }>('/api/actions', { action, target, ...more });
  return answer.outcome;
}

async function uploaded(size = 100 * KIB): Promise<WaitingObject> {
  const net = network();
  const object = await net.createObject(await net.createBucket(1), { size });
  await net.put(1, object);
  return object;
}

test.serial(
  'an object that waits for a stopped secondary says so, and is tried again on request',
  async (t) => {
    const net = network();
    net.devnet.sp(4).signal('SIGSTOP');
    t.teardown(() => net.devnet.sp(4).signal('SIGCONT'));
    const object = await uploaded();
    const id = formatJobId(object.job);
    const waiting = await until('it waits for its next try', async () => {
      const found = await view(object);
      return found.nextTryAt !== undefined && !found.owner && found;
    });
    t.regex(waiting.why, /sp 4/i);
    t.regex(waiting.why, /tried again/);
    await until('the retry is accepted', () => act('retry', id).catch(() => undefined));
    net.devnet.sp(4).signal('SIGCONT');
    await net.sealed(object);
    const sealed = await until('the view says so', async () => {
      const found = await view(object);
      return found.context.state === 'SEAL_OBJECT_DONE' && found;
    });
    t.regex(sealed.why, /^It is sealed/);
    t.is(
      sealed.columns.filter(({ state, receipt }) => state === 'stored' && receipt?.blsSignature.checked)
        .length,
      6,
    );
    await t.throwsAsync(act('retry', id), { code: 'job-transition' });
    await t.throwsAsync(act('reject', id), { code: 'job-transition' });
    t.regex(await act('repair', id), /2 good/);
    const found = await (await api()).get<readonly { path: string }[]>(`/api/search?q=${object.bucketName}`);
    t.deepEqual(
      found.map(({ path }) => path),
      [`/objects/${id}`],
    );
  },
);

test.serial('an object that is given up is rejected on chain', async (t) => {
  const net = network();
  await act('ban-peer', '4');
  const object = await uploaded();
  const id = formatJobId(object.job);
  await until('it has failed once', async () => (await view(object)).nextTryAt !== undefined);
  await act('reject', id, { reason: 'nobody needs it' });
  await until('it is gone', async () => (await view(object)).context.state === 'OBJECT_DISCONTINUED');
  t.is(await net.chain.objectById(object.job.objectId), undefined);
  t.true((await view(object)).events.some(({ type }) => type === 'GivenUp'));
  await act('unban-peer', '4');
});

test.serial(
  'a node refuses uploads while they are paused, over a restart, and while it drains',
  async (t) => {
    const net = network();
    const reports = async () => (await (await api()).get<NodeReports>('/api/nodes')).reports[0];
    const object = await net.createObject(await net.createBucket(1), { size: 1_000 });
    await act('pause-intake', 'sp-1@a');
    await t.throwsAsync(net.put(1, object));
    await net.devnet.sp(1).stop();
    await net.devnet.sp(1).start();
    t.true((await reports())?.paused);
    await t.throwsAsync(net.put(1, object));
    await act('resume-intake', 'a');
    await act('drain', 'a');
    t.is((await reports())?.readiness, 'draining');
    await t.throwsAsync(net.put(1, object));
    await act('undrain', 'a');
    await t.throwsAsync(act('undrain', 'a'), { code: 'not-draining' });
    await net.put(1, object);
    await net.sealed(object);
  },
);

test.serial('with a banned provider nothing is stored until the ban ends', async (t) => {
  const net = network();
  await act('ban-peer', '4', { minutes: 5 });
  const object = await uploaded();
  const failed = await until('no group is left', async () => {
    const found = await view(object);
    return found.context.failure?.code === 'peer-banned' && found;
  });
  t.regex(failed.why, /banned/);
  await act('unban-peer', '4');
  await until('the retry is accepted', () => act('retry', formatJobId(object.job)).catch(() => undefined));
  await net.sealed(object);
});

test.serial('actions need the right token, and are recorded, refused ones too', async (t) => {
  const net = network();
  const url = net.devnet.file.sps[0]?.admin ?? '';
  const viewer = await AdminApi.of(url, net.devnet.file.adminTokens, 'view');
  await t.throwsAsync(viewer.post('/api/actions', { action: 'drain', target: 'a' }), {
    code: 'role-missing',
  });
  await t.throwsAsync(act('ban-peer', '1'), { code: 'bad-action' });
  const audit = await viewer.get<readonly AuditEntry[]>('/api/audit');
  t.like(audit[0], { action: 'ban-peer', isDone: false });
  t.true(audit.some(({ action, isDone }) => action === 'reject' && isDone));
  t.true(audit.every(({ who }) => who.startsWith('token for act at 127.0.0.1')));
});

/** The command line as an operator runs it: with the address of a node and a token. */
async function sealion(role: 'view' | 'act', ...args: readonly string[]) {
  const { sps, adminTokens } = network().devnet.file;
  const token = ['--token-file', adminTokens?.[role] ?? ''];
  const program = compiledProgram('cli/sealion');
  const child = spawn(process.execPath, [program, ...args, '--admin', sps[0]?.admin ?? '', ...token], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, complaint, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code, output, complaint };
}

test.serial('the command line shows and does the same, with the address of a node and a token', async (t) => {
  const net = network();
  const object = await uploaded(1_000);
  await net.sealed(object);
  const id = formatJobId(object.job);
  const name = `${object.bucketName}/${object.objectName}`;
  const shown = async (...args: readonly string[]) => (await sealion('view', ...args)).output;

  t.regex(await shown('nodes'), /^NODE +STATE .*\nsp-1@a +ready +.*\n1 node\n$/);
  t.regex(await shown('jobs', id), new RegExp(`\\n${id} +[A-Z_]+ +1000 bytes .* ${name}\\n1 job\\n$`));
  await until('the job says so', async () => (await shown('job', name)).startsWith('It is sealed'));
  const [job, peers, tree, space] = await Promise.all([
    shown('job', id, '--json'),
    shown('peers'),
    shown('tree'),
    shown('space'),
  ]);
  t.regex(space, /^sp 1[^\\]*\n$/);
  t.like(JSON.parse(job), { event: 'job', job: id });
  t.regex(peers, /\n4 +/);
  t.regex(tree, /^sp-1@a\n├── /);

  t.like(await sealion('act', 'drain', 'a'), { code: 1, output: '' });
  t.is((await sealion('act', 'drain', 'a', '--yes', '--reason', 'a new disk')).code, 0);
  t.regex(await shown('nodes'), /\nsp-1@a +draining /);
  t.is((await sealion('act', 'undrain', 'a', '--yes')).code, 0);
  t.regex(await shown('audit'), / drain +a +yes +.*\(reason: a new disk\)\n/);
  const verified = await sealion('act', 'verify', name, '--repair', '--yes', '--json');
  t.like(JSON.parse(verified.output), { event: 'done', action: 'repair', target: id });

  const ended = await sealion('act', 'retry', id, '--yes');
  t.is(ended.code, 1);
  t.regex(ended.complaint, /\(job-transition\)\n$/);
  t.is((await sealion('view', 'nodes', '--sp', '1')).code, 2);
  t.is((await sealion('view', 'verify', name)).code, 2);
});

test.serial(
  'the description of the API has every address, each is answered as described, and none shows a secret',
  async (t) => {
    const operator = await api();
    const object = await uploaded(1_000);
    const described = await operator.get<{ paths: Record<string, Record<string, unknown>> }>(
      '/api/openapi.json',
    );
    const forms = answersOf(
      operatorApi({
        view: viewOf(),
        own: ownNode(),
        actions: new FollowedActions(noActions()),
        version: '0',
      }),
    );
    const answers: string[] = [JSON.stringify(described)];
    const [recorded] = await operator
      .get<readonly AuditEntry[]>('/api/audit')
      .then((all) => all.filter(({ isDone }) => isDone));
    for (const [path, methods] of Object.entries(described.paths)) {
      if (!methods.get) continue;
      const address = path.replace('{job}', formatJobId(object.job)).replace('{id}', recorded?.id ?? '');
      const answer = await operator.get<unknown>(`${address}${path === '/api/search' ? '?q=4' : ''}`);
      const form = forms.get(path);
      const fits = form?.safeParse(answer);
      t.true(fits?.success, `${path}: ${fits?.error}`);
      answers.push(JSON.stringify(answer));
    }
    t.true(answers.length > 10);
    const texts = { answers: answers.join('\n'), ...(await logsOf(network())) };
    t.deepEqual(leaksIn(texts, await secretsOf(network())), []);
  },
);
