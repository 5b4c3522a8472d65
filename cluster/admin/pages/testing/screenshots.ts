import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { formatJobId } from '#protocols/job/identity';
import { findProgram } from '#runtime/testing/programs';
import { Network } from '../../../test/network.ts';
import { PageBrowser, untilLive } from './browser.ts';

/*
 * Takes the pictures of README.md on a devnet of its own:
 *   npx tsc && node dist/cluster/admin/pages/testing/screenshots.js
 */

const MIB = 2 ** 20;
const FOLDER = fileURLToPath(new URL('../../../../../cluster/admin/pages/screenshots/', import.meta.url));
const LIMIT_BYTES = 200 * 1_024;
const LOOKS = { width: 1_200 };

const chromium = findProgram('chromium');
if (chromium === undefined) throw new Error('Chromium is not installed.');
await mkdir(FOLDER, { recursive: true });
const network = await Network.start({ blockTimeMs: 500 });
try {
  const { sps, adminTokens } = network.devnet.file;
  const browser = await PageBrowser.launch(chromium, sps[0]?.admin ?? '');
  try {
    const page = await browser.logIn((await readFile(adminTokens?.act ?? '', 'utf8')).trim(), LOOKS);
    page.setDefaultTimeout(120_000);
    await takeTree(page);
    await takeWaiting(page);
  } finally {
    await browser.close();
  }
} finally {
  await network.stop();
}

async function takeTree(page: Page): Promise<void> {
  const bucket = await network.createBucket(1);
  const object = await network.createObject(bucket, { size: 200 * MIB });
  await page.goto('/tree');
  await untilLive(page);
  const uploaded = network.put(1, object);
  const job = formatJobId(object.job);
  for (const name of ['objects', `object/${job}`]) await open(page, name);
  await uploaded;
  for (const name of ['objects', `object/${job}`]) await open(page, name);
  await page.locator('#tree progress').first().waitFor();
  await page.locator('#tree tr', { hasText: 'replicator' }).nth(5).waitFor();
  await take(page, 'tree');
  await network.sealed(object);
}

/** Opens an actor, unless it is open. */
async function open(page: Page, name: string): Promise<void> {
  const row = page.locator('#tree tr', { has: page.getByRole('button', { name: `${name}:` }) });
  await row.first().waitFor();
  if ((await row.first().getAttribute('aria-expanded')) === 'false')
    await row.first().getByRole('button').click();
}

async function takeWaiting(page: Page): Promise<void> {
  const bucket = await network.createBucket(1);
  const object = await network.createObject(bucket, { size: 8 * MIB });
  const stopped = network.devnet.sp(4);
  stopped.signal('SIGSTOP');
  try {
    await network.put(1, object);
    await page.goto(`/objects/${formatJobId(object.job)}`);
    await untilLive(page);
    await page.locator('#why').getByText('SP 4').waitFor();
    await take(page, 'waiting');
  } finally {
    stopped.signal('SIGCONT');
  }
}

async function take(page: Page, name: string): Promise<void> {
  const path = join(FOLDER, `${name}.png`);
  await page.screenshot({ path });
  const { size } = await stat(path);
  if (size > LIMIT_BYTES) throw new Error(`${path} is larger than ${LIMIT_BYTES} bytes.`);
}
