import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Terminal } from '#protocols/errors';
import type { ObjectInfo } from '#protocols/greenfield/types';
import { planPayload } from '#protocols/payload/plan';
import type { TreeNode } from '#runtime/actors/types';
import { get } from '../cli/get.ts';
import { type HomeView, openHomeView } from '../cli/home-view.ts';
import { uploadLine } from '../cli/put.ts';
import type { Reporter } from '../cli/reporter.ts';
import { Session } from '../cli/session.ts';
import { treeLines } from '../cli/tree-view.ts';
import { count, duration, exactSize, rate } from '../cli/units.ts';
import { uploadFile, waitForSeal } from '../client/upload.ts';
import type { Devnet } from '../devnet/devnet.ts';
import { type Passed, TakeOver } from '../devnet/take-over.ts';
import { sha256File } from './sample.ts';
import { passedText, takeOverReports } from './take-over-text.ts';
import { Timeline } from './timeline.ts';

export interface DemoOptions {
  readonly devnet: Devnet;
  readonly file: string;
  /** Folder for the downloaded file. */
  readonly directory: string;
  readonly report: Reporter;
  readonly signal: AbortSignal;
}

/**
 * Takes one file from PUT to SEALED and back, and reports each step. Where the primary has several nodes, the one that
 * works on the object is killed between the acknowledgement and the seal.
 * @throws Terminal `sealed-too-soon`
 */
export async function runDemo(options: DemoOptions): Promise<void> {
  const { devnet, file, report, signal } = options;
  const primary = devnet.file.sps[0];
  if (!primary) throw new Terminal({ code: 'bad-devnet', message: 'The devnet has no storage provider.' });
  const session = await Session.open(devnet.file);
  const home = await openHomeView(primary);
  const following = new AbortController();
  const isCluster = (primary.nodes?.length ?? 0) > 1;
  const kill = (node: string) => devnet.sp(primary.id, node).kill();
  const takeOver = isCluster ? new TakeOver({ kill, ...takeOverReports(report) }) : undefined;
  try {
    const timeline = new Timeline({ showsNodes: isCluster });
    const either = AbortSignal.any([signal, following.signal]);
    const watched = follow(home, timeline, takeOver, options, either);
    const object = await upload(session, primary, takeOver, options);
    const sealed = await waitForSeal(session.chain, object.id, signal);
    await watched.ended;
    const passed = await takeOver?.end();
    await compare(object, file, options);
    const look = watched.look();
    if (look) {
      const lines = treeLines(look.tree, look.at);
      report.line(['', 'the actor tree of the primary during the upload:', ...lines], {
        event: 'tree',
        ...look,
      });
    }
    const facts = { object, timeline, report, groupId: sealed.gvg?.id, primaryId: primary.id };
    summarise({ ...facts, ...(passed && { passed }) });
  } finally {
    following.abort();
    await home.close();
    session.close();
  }
}

async function upload(
  session: Session,
  primary: Devnet['file']['sps'][number],
  takeOver: TakeOver | undefined,
  options: DemoOptions,
): Promise<ObjectInfo> {
  const { file, report, signal } = options;
  const { chain, account } = session;
  const target = {
    bucketName: 'sealion-demo',
    objectName: basename(file),
    chain,
    account,
    sp: session.sp(primary),
    primary,
  };
  return uploadFile(file, target, {
    signal,
    onEvent: (event) => {
      report.line(uploadLine(event, primary.id), { ...event });
      if (event.event === 'acknowledged') takeOver?.acknowledged();
    },
    onProgress: (done, total) => report.progress('uploading', done, total),
  });
}

interface Watched {
  /** Resolves when the job is announced as sealed. */
  readonly ended: Promise<void>;
  /** The actor tree with the most actors seen during replication, if any was seen. */
  look(): Look | undefined;
}

interface Look {
  readonly tree: TreeNode;
  /** Unix ms. */
  readonly at: number;
}

/**
 * Shows every state as it is reached and each secondary as it completes, and inspects the actor tree in the meantime.
 */
function follow(
  home: HomeView,
  timeline: Timeline,
  takeOver: TakeOver | undefined,
  { report }: DemoOptions,
  signal: AbortSignal,
): Watched {
  let fullest: Look | undefined;
  const look = async () => {
    while (!timeline.has('REPLICATE_OBJECT_DONE')) {
      const at = Date.now();
      for (const tree of await home.inspect.read({ signal })) {
        if (!fullest || actorsIn(tree) >= actorsIn(fullest.tree)) fullest = { tree, at };
      }
    }
  };
  const watch = async () => {
    for await (const announcement of home.feed.watch({ signal })) {
      timeline.add(announcement);
      takeOver?.hear(announcement);
      report.line(timeline.line(announcement), { ...announcement, event: 'state' });
      // Not awaited, as inspecting takes longer than some phases; if it fails, the tree is omitted.
      if (announcement.state === 'REPLICATE_OBJECT_DOING' && !announcement.secondary)
        look().catch(() => undefined);
      if (announcement.state === 'SEAL_OBJECT_DONE') return;
      if (announcement.state === 'OBJECT_DISCONTINUED') throw discontinued();
    }
  };
  const ended = watch();
  // Awaited only after the upload; a failure before that must not count as unhandled.
  ended.catch(() => undefined);
  return { ended, look: () => fullest };
}

function actorsIn(tree: TreeNode): number {
  return tree.children.reduce((sum, child) => sum + actorsIn(child), 1);
}

async function compare(
  object: ObjectInfo,
  file: string,
  { devnet, directory, report, signal }: DemoOptions,
): Promise<void> {
  const copy = join(directory, 'download');
  await get(`${object.bucketName}/${object.objectName}`, copy, { network: devnet.path }, report, signal);
  const [sent, received] = [await sha256File(file), await sha256File(copy)];
  if (sent !== received || (await stat(copy)).size !== object.payloadSize) {
    throw new Terminal({
      code: 'download-differs',
      message: `The download has SHA-256 ${received}, the file ${sent}.`,
      advice: 'This must not happen: please report it with the file.',
    });
  }
  report.line('the download is identical to the file', { event: 'compared', sha256: received });
}

function summarise(facts: {
  readonly object: ObjectInfo;
  readonly timeline: Timeline;
  readonly report: Reporter;
  readonly groupId: number | undefined;
  readonly primaryId: number;
  readonly passed?: Passed;
}): void {
  const { object, timeline, report, groupId, primaryId, passed } = facts;
  const { payloadSize } = object;
  const plan = planPayload({
    payloadSize,
    maxSegmentSize: 16 * 2 ** 20,
    redundancy: object.redundancy,
    dataChunks: 4,
    parityChunks: 2,
  });
  const phases = timeline.phases();
  const upload = phases.find(({ name }) => name === 'upload');
  const lines = [
    '',
    `object       ${object.bucketName}/${object.objectName}, id ${object.id}, ${exactSize(payloadSize)} in ${count(plan.segmentCount, 'segment')}`,
    `times        ${phases.map(({ name, ms }) => `${name} ${duration(ms)}`).join(', ')}`,
    ...(upload && payloadSize > 2 ** 20 ? [`upload rate  ${rate(payloadSize, upload.ms)}`] : []),
    ...(passed ? [`take-over    ${passedText(passed)}`] : []),
    `held by      sp ${primaryId} (whole), ${timeline
      .columns()
      .map(({ spId, redundancyIndex }) => `sp ${spId} (column ${redundancyIndex})`)
      .join(', ')}`,
    `sealed       with virtual group ${groupId} by transaction ${timeline.transactionHash}`,
  ];
  report.line(lines, {
    event: 'summary',
    objectId: object.id,
    bytes: payloadSize,
    segments: plan.segmentCount,
    phases,
    columns: timeline.columns(),
    ...(passed && { takeOver: passed }),
    gvgId: groupId,
    transactionHash: timeline.transactionHash,
  });
}

function discontinued(): Terminal {
  return new Terminal({ code: 'object-gone', message: 'The object was discontinued before it was sealed.' });
}
