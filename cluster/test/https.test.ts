import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import test from 'ava';
import { type Browser, chromium } from 'playwright-core';
import { findProgram, withProgram } from '#runtime/testing/programs';
import { selfSigned } from '#runtime/testing/self-signed';
import { compiledProgram } from '../compiled.ts';
import { domainOf } from '../devnet/plan.ts';
import { film } from './film.ts';
import { useNetwork } from './network.ts';
import { runApplication } from './sdk/application.ts';

/**
 * A devnet of HTTPS alone: of clients with their SP, and of SPs with each other. Its certificate is known to all by
 * NODE_EXTRA_CA_CERTS, as that of an authority of one's own would be.
 */

const SDK_SCENARIO = 'a file is uploaded, sealed and read back';
const PROGRAM = compiledProgram('cli/sealion');
const MIB = 2 ** 20;

const openssl = withProgram(test.serial as typeof test, 'openssl');
const withChromium = findProgram('openssl') ? withProgram(test.serial as typeof test, 'chromium') : openssl;

const cleanings: (() => unknown)[] = [];
test.after.always(() => Promise.all(cleanings.map((clean) => clean())));

/** The names below a domain are buckets. */
const hosts = [1, 2, 3, 4, 5, 6, 7].map(domainOf).flatMap((domain) => [domain, `*.${domain}`]);
const place = findProgram('openssl')
  ? selfSigned({ teardown: (clean) => cleanings.push(clean) }, hosts)
  : { folder: '', files: { cert: '', key: '' } };
process.env.NODE_EXTRA_CA_CERTS = place.files.cert;
const network =
  place.folder === ''
    ? undefined
    : useNetwork(test, {
        https: true,
        segmentSize: 4 * MIB,
        nodeOf: () => ({ gateway: { tls: place.files }, peers: { wires: ['http'] } }),
      });

function devnet() {
  if (!network) throw new Error('there is no network without openssl');
  return network().devnet;
}

/** Runs the command line. @throws with what it complained of */
async function sealion(...args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [PROGRAM, ...args, '--network', devnet().path], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [complaint, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  if (code !== 0) throw new Error(complaint);
}

/** Puts a public object at SP 1. @returns its address */
async function publish(bucket: string, name: string, content: Uint8Array | string): Promise<string> {
  const file = join(place.folder, name);
  await writeFile(file, content);
  await sealion('put', file, `${bucket}/${name}`, '--sp', '1', '--visibility', 'public-read');
  return `${bucket}/${name}`;
}

let browser: Browser | undefined;

/** @param path of Chromium, which is started once for all tests */
async function openPage(path: string) {
  if (!browser) {
    browser = await chromium.launch({ executablePath: path });
    cleanings.push(() => browser?.close());
  }
  return browser.newPage({ ignoreHTTPSErrors: true });
}

openssl('the command line uploads and downloads over HTTPS', async (t) => {
  const [bucket, content] = [`bucket-${randomBytes(6).toString('hex')}`, randomBytes(300_000)];
  const file = join(place.folder, 'file');
  await writeFile(file, content);
  await sealion('put', file, `${bucket}/file`, '--sp', '2');
  const copy = join(place.folder, 'copy');
  await sealion('get', `${bucket}/file`, copy);
  t.true(content.equals(await readFile(copy)));
});

openssl('the JavaScript SDK uploads and downloads over HTTPS', async (t) => {
  const { code, lines, errors } = await runApplication(devnet().path, SDK_SCENARIO);
  t.is(lines[0]?.error, undefined);
  t.is(code, 0, errors);
  t.like(lines, [{ scenario: SDK_SCENARIO, report: { same: true } }]);
});

withChromium('Chromium seeks in a film without reading all of it', async (t, path) => {
  // Far larger than what a browser reads ahead, three times, on a machine on which it is slow to seek.
  const bytes = film({ seconds: 120, secondBytes: MIB / 2 });
  const name = await publish(`bucket-${randomBytes(6).toString('hex')}`, 'film.webm', bytes);
  const page = await openPage(path);
  const answers: { readonly status: number; readonly range: string | undefined }[] = [];
  page.on('response', (response) => {
    answers.push({ status: response.status(), range: response.headers()['content-range'] });
  });
  await page.setContent(`<video muted src="${devnet().file.sps[0]?.endpoint}/${name}"></video>`);
  const seen = await page.evaluate(SEEK);
  t.deepEqual(seen, { duration: 120, width: 64, times: [60, 119] });
  await page.close();
  const first = (second: number) => answers.find(({ range }) => beginOf(range) >= (second * MIB) / 2);
  for (const { status, range } of answers) {
    t.is(status, 206);
    t.true(range?.endsWith(`/${bytes.length}`), range);
  }
  t.truthy(first(59), 'the middle was asked for by a range');
  t.truthy(first(118), 'the end was asked for by a range');
  const log = join(dirname(devnet().path), 'state/log/sp1.log');
  const lines = (await readFile(log, 'utf8')).split('\n').filter((line) => line.includes('film.webm'));
  const sent = lines.flatMap((line) => {
    const { method, bytes } = JSON.parse(line);
    return method === 'GET' ? [Number(bytes)] : [];
  });
  t.is(sent.length, answers.length);
  t.true(sum(sent) < bytes.length, `${sum(sent)} of ${bytes.length} were sent`);
});

withChromium('Chromium shows a page, and does not run its scripts', async (t, path) => {
  const html = '<title>quiet</title><p>shown</p><script>document.title = "loud"</script>';
  const name = await publish(`bucket-${randomBytes(6).toString('hex')}`, 'page.html', html);
  const page = await openPage(path);
  const answer = await page.goto(`${devnet().file.sps[0]?.endpoint}/view/${name}`);
  t.regex(answer?.headers()['content-type'] ?? '', /^text\/html/);
  t.is(await page.textContent('p'), 'shown');
  t.is(await page.title(), 'quiet');
});

/** Runs in the page: seeks to the middle, then to the end. */
const SEEK = `(async () => {
  const video = document.querySelector('video');
  const event = (name) => new Promise((resolve, reject) => {
    video.addEventListener(name, resolve, { once: true });
    video.addEventListener('error', () => reject(new Error(video.error?.message)), { once: true });
  });
  if (video.readyState < 2) await event('loadeddata');
  const times = [];
  for (const to of [video.duration / 2, video.duration - 1]) {
    const seeked = event('seeked');
    video.currentTime = to;
    await seeked;
    times.push(video.currentTime);
  }
  return { duration: video.duration, width: video.videoWidth, times };
})()`;

function beginOf(range: string | undefined): number {
  return Number(/^bytes ([0-9]+)-/.exec(range ?? '')?.[1] ?? -1);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
