import test, { type ExecutionContext } from 'ava';
import { MESSAGE_TYPES } from '#protocols/greenfield/messages';
import { PROGRESS_TEXT } from '#protocols/job/progress-text';
import { network } from '../users.ts';
import { type ApplicationRun, runApplication } from './application.ts';

/** The unchanged JavaScript SDK against a devnet: an application built on it, and what it must have seen. */

const SEGMENT = 64 * 1024;
/** What the SDK makes of a PUT that is answered by 200. */
const STORED = { code: 0, message: 'Put object success.', statusCode: 200 };
/** Numbers of OBJECT_STATUS_SEALED and VISIBILITY_TYPE_PRIVATE. */
const SEALED = 1;
const PRIVATE = 2;

let run: Promise<ApplicationRun> | undefined;
function application(): Promise<ApplicationRun> {
  run ??= runApplication(network().devnet.path);
  return run;
}

const scenarios = new Set<string>();

/** Checks what the application's scenario of this name has seen; its failure is the test's. */
function scenario<Seen>(
  name: string,
  check: (t: ExecutionContext, seen: Seen) => void | Promise<void>,
): void {
  scenarios.add(name);
  test.serial(name, async (t) => {
    const { lines, errors } = await application();
    const line = lines.find(({ scenario }) => scenario === name);
    if (!line) return t.fail(`the application says nothing of it: ${errors}`);
    if (line.error !== undefined) return t.fail(line.error);
    await check(t, line.report as Seen);
  });
}

test.serial('the example application runs to its end', async (t) => {
  const { code, lines, errors } = await application();
  t.deepEqual(lines.map(({ scenario }) => scenario).sort(), [...scenarios].sort());
  t.is(code, 0, errors);
});

scenario<{ providers: object[]; height: number; balance: { amount: string } }>(
  'the chain answers queries',
  async (t, { providers, height, balance, ...seen }) => {
    const { chain, devnet } = network();
    const sps = devnet.file.sps.map(({ id, operatorAddress, endpoint }) => ({
      id,
      operatorAddress,
      endpoint,
      status: 0,
    }));
    t.deepEqual(providers, sps);
    t.true(height > 0 && height <= (await chain.latestBlock()).height);
    t.true(BigInt(balance.amount) > 0n);
    t.deepEqual(seen, {
      found: sps[0]?.id,
      endpoint: sps[0]?.endpoint,
      segmentSize: SEGMENT,
      gas: MESSAGE_TYPES['/greenfield.storage.MsgCreateObject'].gas,
      maxTxSize: 64 * 1024,
      storePrice: '0.016',
      lockFee: '453231936000',
      network: devnet.file.chain.chainId,
    });
  },
);

scenario<{ bucketName: string; progress: string[]; familyId: number }>(
  'a file is uploaded, sealed and read back',
  async (t, { bucketName, progress, familyId, ...seen }) => {
    const found = await network().chain.object(bucketName, 'pictures/sunset.png');
    t.is(found?.object.status, 'SEALED');
    t.is(found?.gvg?.familyId, familyId);
    t.deepEqual(seen, {
      owner: found?.object.owner,
      objectName: 'pictures/sunset.png',
      contentType: 'image/png',
      size: 300_000,
      put: STORED,
      sent: 300_000,
      same: true,
    });
    t.is(progress[0], PROGRESS_TEXT.INIT_UNSPECIFIED);
    t.is(progress.at(-1), `${SEALED}`);
    const texts: readonly string[] = Object.values(PROGRESS_TEXT);
    t.true(
      progress.slice(0, -1).every((text) => texts.includes(text)),
      progress.join('\n'),
    );
  },
);

scenario(
  'a file of one segment has the checksums of the default settings, and needs no transaction hash',
  (t, seen) => {
    t.deepEqual(seen, { put: STORED, same: true });
  },
);

interface Refusal {
  readonly code: string;
  readonly statusCode: number;
}

scenario<{ other: Refusal; short: Refusal; right: object; late: Refusal }>(
  'content that was not announced is refused, and the right content then accepted',
  (t, { other, short, right, late }) => {
    t.like(other, { code: '110004', statusCode: 406 });
    t.like(short, { code: '110008', statusCode: 400 });
    t.deepEqual(right, STORED);
    t.like(late, { code: '20003', statusCode: 400 });
  },
);

scenario<{ head: string; put: Refusal }>(
  'a cancelled object is gone, and its upload is refused',
  (t, { head, put }) => {
    t.regex(head, /No such object/);
    t.like(put, { code: '20008', statusCode: 404 });
  },
);

scenario('folders need no upload, and one transaction creates several', (t, seen) => {
  const folder = { status: SEALED, size: 0, bytes: 0 };
  t.deepEqual(seen, [folder, folder]);
});

scenario('a name that needs encoding is uploaded and read back', (t, seen) => {
  t.deepEqual(seen, { sameName: true, same: true });
});

scenario('anyone can read a public file, in whole and in part', (t, seen) => {
  t.deepEqual(seen, { type: 'video/mp4', same: true, range: 'bytes 65530-131080/200000', samePart: true });
});

scenario<{ forged: { status: number; body: string } }>(
  'an off-chain key registered by the wallet can upload, read and create links',
  (t, { forged, ...seen }) => {
    t.deepEqual(seen, { put: STORED, same: true, sameByLink: true, samePartByLink: true });
    t.is(forged.status, 400);
    t.regex(forged.body, /<Code>20012<\/Code>/);
  },
);

scenario<{ partSize: number; offsets: number[]; broken: object; put: object; same: boolean }>(
  'an upload in parts resumes after a lost connection',
  (t, { partSize, offsets, broken, put, same }) => {
    t.deepEqual(offsets, [0, 2 * partSize]);
    t.like(broken, { code: -1, message: 'connection lost' });
    t.like(put, { code: 0, statusCode: 200 });
    t.true(same);
  },
);

scenario<{ update: object; again: Refusal }>(
  'a file is uploaded without a transaction, sealed, read and replaced',
  (t, { update, again, ...seen }) => {
    const file = { contentType: 'image/png', owner: true, hasChecksums: 7, same: true };
    const replaced = { updatedSize: 70_000, sameUpdate: true };
    t.deepEqual(seen, { put: STORED, sent: 200_000, ...file, ...replaced });
    t.deepEqual(update, STORED);
    t.like(again, { code: '50010', statusCode: 400 });
  },
);

scenario<{ hash: string; again: Refusal }>(
  'a folder is created without a transaction',
  async (t, { hash, again, ...seen }) => {
    t.is((await network().chain.transaction(hash))?.code, 0);
    t.deepEqual(seen, { status: SEALED, size: 0, visibility: PRIVATE });
    t.like(again, { code: '50010', statusCode: 400 });
  },
);

scenario<{ refused: { message: string }; head: string; whole: object }>(
  'an upload in parts without a transaction is refused before anything is created',
  (t, { refused, head, whole }) => {
    t.like(refused, { code: -1, statusCode: 400 });
    t.regex(refused.message, /Send the size of the whole payload with every part/);
    t.regex(head, /No such object/);
    t.deepEqual(whole, STORED);
  },
);

scenario<{ stranger: boolean; nobody: number }>(
  'a private file is readable by a group, then by everybody, then by nobody',
  (t, { stranger, nobody, ...seen }) => {
    t.false(stranger);
    t.is(nobody, 404);
    t.deepEqual(seen, { member: true, tagged: [{ key: 'project', value: 'x' }], anybody: 200 });
  },
);
