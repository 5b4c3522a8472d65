import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import anyTest, { type TestFn } from 'ava';
import type { Page } from 'playwright-core';
import { parse, stringify } from 'yaml';
import { formatJobId } from '#protocols/job/identity';
import { findProgram, withPostgres, withProgram } from '#runtime/testing/programs';
import { beyondTheEdge, PageBrowser, seriousFaults, untilLive } from '../admin/pages/testing/browser.ts';
import { useNetwork } from './network.ts';
import type { WaitingObject } from './offers.ts';

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
const PATIENCE_MS = 30_000;

let browser: PageBrowser | undefined;
let page: Page;

test.after.always(() => browser?.close());

/** A page that is kept up to date. The first call logs in. */
async function see(address: string): Promise<void> {
  if (!browser) {
    const { sps, adminTokens } = network().devnet.file;
    browser = await PageBrowser.launch(chromium ?? '', sps[0]?.admin ?? '');
    page = await browser.logIn((await readFile(adminTokens?.act ?? '', 'utf8')).trim());
    page.setDefaultTimeout(PATIENCE_MS);
  }
  await page.goto(address);
  await untilLive(page);
}

async function upload(size = 200 * KIB): Promise<WaitingObject> {
  const object = await network().createObject(await network().createBucket(1), { size });
  await network().put(1, object);
  return object;
}

function nodeRow(name: string) {
  return page.locator(`tr[id="node-sp-1@${name}"]`);
}

inChromium('the overview shows every node of the provider, and the tree the actors of each', async (t) => {
  await see('/');
  for (const node of ['a', 'b', 'c']) await nodeRow(node).getByText('ready').waitFor();
  await page.getByText('operator:').waitFor();
  await see('/tree');
  for (const node of ['a', 'b', 'c']) await page.locator('#tree tr', { hasText: `sp-1@${node}` }).waitFor();
  t.deepEqual(browser?.complaints, []);
});

inChromium('the page of an object shows how it was sealed, and search finds it', async (t) => {
  const object = await upload();
  const job = formatJobId(object.job);
  await see(`/objects/${job}`);
  await page.locator('#facts').getByText('SEAL_OBJECT_DONE').waitFor();
  await page.locator('#why').getByText('It is sealed').waitFor();
  t.is((await page.locator('#columns').getByText('stored', { exact: true }).count()) > 0, true);
  t.is(await page.locator('#receipts tr').count(), 6);
  await page.locator('#events').getByText('SealCompleted').waitFor();
  await page.locator('#seal').getByText('Transaction').waitFor();
  await page.locator('#find').fill(`${object.bucketName}/${object.objectName}`);
  await page.getByRole('button', { name: 'Find' }).click();
  await page.locator('#hits').getByText(object.objectName).click();
  await page.waitForURL(`**/objects/${job}`);
  t.is(await page.locator('#approvals tr').count(), 6);
});

inChromium(
  'an object that waits for a stopped secondary says so, and is sealed before our eyes later',
  async (t) => {
    const stopped = network().devnet.sp(4);
    stopped.signal('SIGSTOP');
    try {
      const object = await upload();
      await see(`/objects/${formatJobId(object.job)}`);
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

inChromium('a provider whose disk is full refuses, and the object says why', async (t) => {
  const file = join(dirname(network().devnet.path), 'state', 'sp5', 'config.yaml');
  const config = await readFile(file, 'utf8');
  const parsed = parse(config) as { readonly limits: object };
  await writeFile(file, stringify({ ...parsed, limits: { ...parsed.limits, diskReserve: WHOLE_DISK } }));
  await network().devnet.sp(5).restart();
  const object = await upload();
  await see(`/objects/${formatJobId(object.job)}`);
  await page.locator('#why').getByText('sp 5').waitFor();
  await writeFile(file, config);
  await network().devnet.sp(5).restart();
  await page.locator('#why').getByText('It is sealed').waitFor();
  t.pass();
});

inChromium('a chain that is away is shown for every node, until it is back', async (t) => {
  await see('/');
  const { chain } = network().devnet;
  chain.signal('SIGSTOP');
  try {
    for (const node of ['a', 'b', 'c']) await nodeRow(node).getByText('away').waitFor();
  } finally {
    chain.signal('SIGCONT');
  }
  for (const node of ['a', 'b', 'c']) await nodeRow(node).getByText('block').waitFor();
  t.pass();
});

inChromium('a suspended node does not answer, and is there again when it continues', async (t) => {
  await see('/');
  const suspended = network().devnet.sp(1, 'c');
  suspended.signal('SIGSTOP');
  try {
    await nodeRow('c').getByText('does not answer').waitFor();
  } finally {
    suspended.signal('SIGCONT');
  }
  await nodeRow('c').getByText('ready').waitFor();
  t.deepEqual(browser?.complaints, []);
});

inChromium(
  'a node is drained and another provider is banned by buttons, undone, and all of it is recorded',
  async (t) => {
    const act = async (address: string, row: string, button: string) => {
      await see(address);
      await page.locator(`tr[id="${row}"]`).getByRole('link', { name: button, exact: true }).click();
      await page.getByRole('dialog').getByRole('button', { name: button }).click();
      await page.getByRole('heading', { name: `${button}: done` }).waitFor();
    };
    const node = 'node-sp-1@b';
    await act('/', node, 'Drain');
    await see('/');
    await nodeRow('b').getByText('draining', { exact: true }).waitFor();
    await act('/', node, 'End draining');
    await see('/');
    await nodeRow('b').getByText('ready').waitFor();
    await act('/', node, 'Pause uploads');
    await see('/');
    await nodeRow('b').getByText('paused', { exact: true }).waitFor();
    await act('/', node, 'Accept uploads again');
    await act('/peers', 'peer-6', 'Ban');
    await see('/peers');
    await page.locator('#peer-6').getByText('banned').waitFor();
    await act('/peers', 'peer-6', 'End the ban');
    await see('/audit');
    const actions = await page.locator('#audit tr td[data-label=Action]').allInnerTexts();
    t.deepEqual(
      actions.map((text) => text.replace(/^.*: /, '')),
      ['unban-peer', 'ban-peer', 'resume-intake', 'pause-intake', 'undrain', 'drain'],
    );
    await page.locator('#audit').getByText('ann').first().waitFor();
    t.deepEqual(browser?.complaints, []);
  },
);
