import anyTest, { type TestFn } from 'ava';
import { formatJobId } from '#protocols/job/identity';
import { segmentKey } from '#protocols/payload/keys';
import { findProgram, withPostgres, withProgram } from '#runtime/testing/programs';
import { beyondTheEdge, seriousFaults } from '../admin/pages/testing/browser.ts';
import { useNetwork } from './network.ts';
import type { WaitingObject } from './offers.ts';
import { OperatorBrowser } from './operator-browser.ts';
import { until } from './until.ts';

/**
 * The pages of a provider of three nodes, in Chromium, while something is wrong. A disk is full for a node when less is
 * free than its reserve: so it is given a reserve that no disk has, which needs no rights.
 */

const test = anyTest as TestFn;
const chromium = findProgram('chromium');
const withDatabase = await withPostgres(test.serial);
const inChromium: typeof withDatabase =
  chromium === undefined
    ? (title, run) => withProgram(test.serial as TestFn, 'chromium')(title, run)
    : withDatabase;
const network = useNetwork(test, { nodes: 3 });

const KIB = 1_024;
/** More than any disk has. */
const WHOLE_DISK = '8000000 GiB';
const NODES = ['a', 'b', 'c'];
/** Objects whose owner may let them go before they are given up. */
const TRIES = 5;

let browser: OperatorBrowser;

test.serial.beforeEach(async () => {
  browser ??= await OperatorBrowser.launch(network(), chromium ?? '');
});
test.after.always(() => browser?.close());

async function upload(size = 200 * KIB): Promise<WaitingObject> {
  const object = await network().createObject(await network().createBucket(1), { size });
  await network().put(1, object);
  return object;
}

function pageOf({ job }: WaitingObject): string {
  return `/objects/${formatJobId(job)}`;
}

/** Presses the button as soon as the job waits for its next try. @returns whether it was tried before its time */
async function tryAgain(object: WaitingObject, node: string): Promise<boolean> {
  return until('it is tried again by a button', async () => {
    const { owner, nextTryAt, events: before, context } = await browser.job(object);
    if (context.state === 'SEAL_OBJECT_DONE') return true;
    if (owner || nextTryAt === undefined) return false;
    await browser.see(pageOf(object), node);
    if (!(await browser.press('#acts', 'Try again now')).isDone) return false;
    const tried = await until('it is tried', async () => {
      const { events } = await browser.job(object);
      return events.slice(before.length).find(({ type }) => type === 'AllocationStarted');
    });
    return tried.at < nextTryAt;
  });
}

inChromium('the overview shows every node of the provider, and the tree the actors of each', async (t) => {
  const { page } = browser;
  await browser.see('/');
  for (const node of NODES) await browser.row(`sp-1@${node}`).getByText('ready').waitFor();
  await page.getByText('operator:').waitFor();
  await browser.see('/tree');
  for (const node of NODES) await page.locator('#tree tr', { hasText: `sp-1@${node}` }).waitFor();
  t.deepEqual(browser.complaints, []);
});

inChromium(
  'the page of an object shows how it was sealed, search finds it, and a button restores what is lost of it',
  async (t) => {
    const { page } = browser;
    const object = await upload();
    await browser.see(pageOf(object));
    await page.locator('#facts').getByText('SEAL_OBJECT_DONE').waitFor();
    await page.locator('#why').getByText('It is sealed').waitFor();
    t.is(await page.locator('#columns').getByText('MB/s').count(), 6);
    t.is(await page.locator('#receipts tr').count(), 6);
    await page.locator('#events').getByText('SealCompleted').waitFor();
    await page.locator('#seal').getByText('Transaction').waitFor();
    await page.locator('#find').fill(`${object.bucketName}/${object.objectName}`);
    await page.getByRole('button', { name: 'Find' }).click();
    await page.locator('#hits').getByText(object.objectName).click();
    await page.waitForURL(`**${pageOf(object)}`);
    t.is(await page.locator('#approvals tr').count(), 6);
    const pieces = network().pieces(1);
    const segment = segmentKey(object.job, 1);
    await pieces.lose(segment);
    await browser.see(pageOf(object), 'b');
    const { text } = await browser.press('#acts', 'Verify and repair');
    t.regex(text, /1 repaired/);
    t.true(await pieces.has(segment));
  },
);

inChromium(
  'an object that waits for a stopped secondary says so, and is sealed before our eyes later',
  async (t) => {
    const { page } = browser;
    const stopped = network().devnet.sp(4);
    stopped.signal('SIGSTOP');
    try {
      const object = await upload();
      await browser.see(pageOf(object));
      await page.locator('#why').getByText('SP 4').waitFor();
      t.deepEqual(await seriousFaults(page), []);
      for (const width of [360, 768, 1440]) {
        await page.setViewportSize({ width, height: 800 });
        t.true((await beyondTheEdge(page)) <= 0, String(width));
      }
    } finally {
      stopped.signal('SIGCONT');
    }
    await page.locator('#why').getByText('It is sealed').waitFor();
  },
);

inChromium('an object is given up on the page of another node than the one that works on it', async (t) => {
  const stopped = network().devnet.sp(4);
  for (let tries = 1, isByOwner = false; !isByOwner; tries += 1) {
    stopped.signal('SIGSTOP');
    let object: WaitingObject;
    try {
      object = await upload();
      const { node: owner } = await until('a node works on it', async () => {
        const { owner: found } = await browser.job(object);
        return found?.state === 'ALLOC_SECONDARY_DOING' && found;
      });
      const other = NODES.find((node) => node !== owner) as string;
      await browser.see(pageOf(object), other);
      const { text } = await browser.press('#acts', 'Give up and reject on chain');
      // Between two tries nobody owns a job, and the node that is asked gives it up itself.
      isByOwner = text.startsWith(`sp-1@${owner} `);
      t.regex(text, /^sp-1@[abc] has given the job up/);
    } finally {
      stopped.signal('SIGCONT');
    }
    await until('it is gone', async () => {
      const { context } = await browser.job(object);
      return context.state === 'OBJECT_DISCONTINUED';
    });
    t.is(await network().chain.objectById(object.job.objectId), undefined);
    if (tries === TRIES) t.true(isByOwner, 'its owner has given it up');
  }
});

inChromium(
  'a node that another has succeeded is fenced; the other has a full disk, and its refusal is shown to those who ask',
  async (t) => {
    const { page } = browser;
    const first = network().devnet.sp(5);
    const second = await network().addNode(5, { diskReserve: WHOLE_DISK });
    await page.goto(`${network().devnet.file.sps[4]?.admin}/`);
    const row = browser.row('sp-5@a');
    await row.getByText('fenced', { exact: true }).waitFor();
    t.regex(await row.innerText(), /Another node was started after it.*Stop it/);
    await browser.row('sp-5@b').getByText('below the reserve').waitFor();
    await first.stop();
    const object = await upload();
    await browser.see(pageOf(object));
    await page.locator('#why').getByText('sp 5').waitFor();
    await page.locator('#approvals tr', { hasText: 'SP 5' }).getByText('refused').waitFor();
    t.true(await tryAgain(object, 'b'));
    await second.node.stop();
    await first.start();
    await tryAgain(object, 'c');
    await browser.see(pageOf(object));
    await page.locator('#why').getByText('It is sealed').waitFor();
  },
);

inChromium('a chain that is away is shown for every node, until it is back', async (t) => {
  await browser.see('/');
  const { chain } = network().devnet;
  chain.signal('SIGSTOP');
  try {
    for (const node of NODES) await browser.row(`sp-1@${node}`).getByText('away').waitFor();
  } finally {
    chain.signal('SIGCONT');
  }
  for (const node of NODES) await browser.row(`sp-1@${node}`).getByText('block').waitFor();
  t.pass();
});

inChromium(
  'a suspended node does not answer, and was fenced when it continues: another has its role',
  async (t) => {
    const { page } = browser;
    const suspended = await until('a node signs', () => browser.sealer('a'));
    const watching = NODES.find((node) => node !== suspended) as string;
    await browser.see('/', watching);
    const row = browser.row(`sp-1@${suspended}`);
    const node = network().devnet.sp(1, suspended);
    node.signal('SIGSTOP');
    try {
      await row.getByText('does not answer').waitFor();
      await until('another node signs', () => browser.sealer(watching));
    } finally {
      node.signal('SIGCONT');
    }
    await row.getByText('ready').waitFor();
    await row.getByText('was fenced').waitFor();
    t.regex(
      await row.innerText(),
      /Fenced \d+ times? since its start, last .*lost \d+ jobs? and [1-9]\d* roles?/,
    );
    await page.reload();
    await row.getByText('was fenced').waitFor();
    t.deepEqual(browser.complaints, []);
  },
);

inChromium(
  'a node is drained and another provider is banned by buttons, undone, and all of it is recorded',
  async (t) => {
    const { page } = browser;
    const act = async (address: string, row: string, button: string) => {
      await browser.see(address);
      const { isDone, text } = await browser.press(`tr[id="${row}"]`, button);
      t.true(isDone, text);
    };
    const node = 'node-sp-1@b';
    await act('/', node, 'Drain');
    await browser.see('/');
    await browser.row('sp-1@b').getByText('draining', { exact: true }).waitFor();
    await act('/', node, 'End draining');
    await browser.see('/');
    await browser.row('sp-1@b').getByText('ready').waitFor();
    await act('/', node, 'Pause uploads');
    await browser.see('/');
    await browser.row('sp-1@b').getByText('paused', { exact: true }).waitFor();
    await act('/', node, 'Accept uploads again');
    await act('/peers', 'peer-6', 'Ban');
    await browser.see('/peers');
    await page.locator('#peer-6').getByText('banned').waitFor();
    await act('/peers', 'peer-6', 'End the ban');
    await browser.see('/audit', 'c');
    const recorded = await page.locator('#audit tr td[data-label=Action]').allInnerTexts();
    const actions = recorded.map((text) => text.replace(/^.*: /, ''));
    const done = ['unban-peer', 'ban-peer', 'resume-intake', 'pause-intake', 'undrain', 'drain'];
    t.deepEqual(actions.slice(0, done.length), done);
    for (const action of ['retry', 'reject', 'repair']) t.true(actions.includes(action), action);
    await page.locator('#audit').getByText('ann').first().waitFor();
    t.deepEqual(browser.complaints, []);
  },
);
