import test, { type ExecutionContext } from 'ava';
import { MIN_APPROVAL_LEFT_MS } from '#protocols/approval/choose-group';
import { Retryable, Terminal } from '#protocols/errors';
import { checksum } from '#protocols/integrity/checksums';
import type { JobContext } from '#protocols/job/context';
import { segmentKey } from '#protocols/payload/keys';
import { redundancyCode } from '#protocols/payload/redundancy';
import { gate } from '#runtime/actors/testing';
import { withTimeEnough } from '#runtime/testing/time-enough';
import { TestChain } from '../../testing/chain.ts';
import { grant } from '../../testing/peers.ts';
import {
  eventually,
  except,
  newGround,
  type Payload,
  Primary,
  type PrimaryOptions,
  segmentsOf,
} from '../../testing/primary.ts';
import { group } from '../../testing/providers.ts';
import { withStage } from '../../testing/stage.ts';

const stage = withStage(test);

const A = [2, 3, 4, 5, 6, 7];
const B = [3, 4, 5, 6, 7, 8];

/** A primary whose family has these groups, and an object that is about to be uploaded. */
async function start(
  t: ExecutionContext,
  groups: readonly (readonly number[])[] = [A],
  options: PrimaryOptions = {},
) {
  const chain = new TestChain(groups.map((ids, i) => group(i + 1, ids)));
  // The first group has the most room.
  for (const { id } of chain.groups) chain.free.set(id, 1e9 / id);
  const ground = await newGround(t, await stage().connection(t));
  const primary = await Primary.start(t, ground, { chain, ...options });
  return { primary, chain, peers: primary.peers, payload: await primary.newObject() };
}

async function seal(primary: Primary, payload: Payload): Promise<JobContext> {
  await primary.upload(payload);
  return primary.reaches(payload, 'SEAL_OBJECT_DONE');
}

/** Of allocation and replication: on a slow machine the signer may be late as well. */
const failures = async (primary: Primary, payload: Payload) =>
  (await primary.events(payload)).flatMap((event) =>
    event.type === 'AllocationFailed' || event.type === 'ReplicationFailed' ? event.failure : [],
  );

function unreachable(): Retryable {
  return new Retryable({ code: 'peer-unreachable', message: 'SP 4 did not answer the offer in 60 s.' });
}

for (const redundancy of ['EC', 'REPLICA'] as const) {
  test(`each secondary gets its own column, ${redundancy}`, async (t) => {
    const { primary, peers } = await start(t);
    const payload = await primary.newObject(400_000, { redundancy, maxSegmentSize: 100_001 });
    const { allocation, receipts } = await seal(primary, payload);
    t.deepEqual(allocation?.secondarySpIds, A);
    t.is(Object.keys(receipts).length, 6);
    const code = redundancyCode(payload.object);
    const shards = segmentsOf(payload).map((segment) => code.encode(segment));
    for (const [index, spId] of A.entries()) {
      t.deepEqual(
        peers.columns.get(`${spId}/${index}`)?.map(checksum),
        shards.map((pieces) => checksum(pieces[index] ?? new Uint8Array())),
      );
    }
  });
}

test('a column that fails temporarily is retried in the same group, alone', async (t) => {
  const { primary, peers, payload } = await start(t, [A, B]);
  let failed = false;
  peers.onOffer = ({ to }) => {
    if (to !== 4 || failed) return;
    failed = true;
    throw unreachable();
  };
  const context = await seal(primary, payload);
  t.is(context.allocation?.gvgId, 1);
  t.deepEqual(peers.offers.map(({ to }) => to).toSorted(), [2, 3, 4, 4, 5, 6, 7]);
  t.is(peers.asks.length, 1);
  const [failure] = await failures(primary, payload);
  t.is(failure?.code, 'peer-unreachable');
  t.is(failure?.message, 'Column 2 to sp 4: SP 4 did not answer the offer in 60 s.');
  t.is(failure?.resume, 'REPLICATE_OBJECT_DOING');
});

test('a column that fails three times moves the job to another group and voids the receipts', async (t) => {
  const { primary, peers, payload } = await start(t, [A, B]);
  peers.onOffer = ({ to, gvgId }) => {
    if (to === 4 && gvgId === 1) throw unreachable();
  };
  const context = await seal(primary, payload);
  t.is(context.allocation?.gvgId, 2);
  t.deepEqual(context.excludedGvgIds, [1]);
  t.deepEqual(
    Object.values(context.receipts).map(({ gvgId, spId }) => [gvgId, spId]),
    B.map((spId) => [2, spId]),
  );
  t.deepEqual(
    (await failures(primary, payload)).map(({ resume }) => resume),
    ['REPLICATE_OBJECT_DOING', 'REPLICATE_OBJECT_DOING', 'ALLOC_SECONDARY_DOING'],
  );
  t.is(peers.offers.filter(({ gvgId }) => gvgId === 1).length, 8, 'five columns once, one three times');
});

test('a secondary that refuses its column for good moves the job to another group at once', async (t) => {
  const { primary, peers, payload } = await start(t, [A, B]);
  peers.onOffer = ({ to, gvgId }) => {
    if (to === 4 && gvgId === 1) throw new Terminal({ code: 'offer-refused', message: 'Never.' });
  };
  const context = await seal(primary, payload);
  t.is(context.allocation?.gvgId, 2);
  t.is((await failures(primary, payload)).length, 1);
});

test('failed allocations do not count against the group that is finally found', async (t) => {
  const { primary, peers, payload } = await start(t, [A, B]);
  peers.answer = (spId, ask) => (peers.asks.length < 4 ? undefined : grant(spId, ask));
  let failed = false;
  peers.onOffer = ({ to }) => {
    if (to !== 4 || failed) return;
    failed = true;
    throw unreachable();
  };
  t.is((await seal(primary, payload)).allocation?.gvgId, 1);
});

test('expired approvals are asked for again, and receipts of the same group are kept', async (t) => {
  const { primary, peers, payload } = await withTimeEnough(async (ms) => {
    const started = await start(t);
    const { primary, peers, payload } = started;
    let ending = 0;
    let tooLate = false;
    peers.answer = (spId, ask) => {
      if (peers.asks.length > 1) return grant(spId, ask);
      ending ||= Date.now() + MIN_APPROVAL_LEFT_MS + ms;
      return { ...grant(spId, ask), expiresAt: ending };
    };
    let refused = false;
    peers.onOffer = async ({ to }) => {
      // Approvals that ran out before the first offer are another story than the one told here.
      if (peers.asks.length > 1 && !refused) tooLate = true;
      if (to !== 4 || refused || tooLate) return;
      refused = true;
      await eventually('the approvals are old', () => Date.now() + MIN_APPROVAL_LEFT_MS > ending);
      throw unreachable();
    };
    await seal(primary, payload);
    return tooLate ? undefined : started;
  });
  t.is(peers.asks.length, 2);
  t.deepEqual(peers.offers.map(({ to }) => to).toSorted(), [2, 3, 4, 4, 5, 6, 7]);
  const codes = (await failures(primary, payload)).map(({ code }) => code);
  t.deepEqual(codes, ['peer-unreachable', 'approvals-expired']);
});

for (const [what, code, tamper] of [
  ['approval signature', 'wrong-approval-signature', 'approvalSignature'],
  ['BLS signature', 'wrong-bls-signature', 'blsSignature'],
] as const) {
  test(`a receipt with another provider's ${what} is refused, and so is its group`, async (t) => {
    const { primary, peers, payload } = await start(t, [A, B]);
    let theirs: string | undefined;
    const held = gate();
    peers.onOffer = async ({ to, gvgId }) => {
      if (to === 4 && gvgId === 1) await held.opened;
    };
    peers.onReceipt = (receipt) => {
      if (receipt.gvgId !== 1) return receipt;
      if (receipt.spId === 3) {
        theirs = receipt[tamper];
        held.open();
      }
      return receipt.spId === 4 ? { ...receipt, [tamper]: theirs ?? '' } : receipt;
    };
    const context = await seal(primary, payload);
    t.is(context.allocation?.gvgId, 2);
    const [failure] = await failures(primary, payload);
    t.is(failure?.code, code);
    t.regex(failure?.message ?? '', /sp 4/);
  });
}

test('a segment lost during replication loses the payload, and no secondary is blamed', async (t) => {
  const { primary, peers } = await start(t, [A, B]);
  const large = await primary.newObject(400_000, { maxSegmentSize: 50_000 });
  peers.onOffer = () => primary.ground.pieces.delete(segmentKey(large.job, 7));
  await primary.upload(large);
  const context = await primary.reaches(large, 'UPLOAD_OBJECT_ERROR');
  t.is(context.failure?.code, 'payload-lost');
  t.regex(context.failure?.message ?? '', /segment 7 is missing/);
  t.deepEqual(context.excludedGvgIds, []);
});

test('a PieceStore that cannot be read for a while does not count against the group', async (t) => {
  const ground = await newGround(t, await stage().connection(t));
  const broken = async () => {
    if ((await failures(primary, payload)).length < 4)
      throw new Retryable({ code: 'piece-store-away', message: 'No PieceStore.' });
  };
  const pieces = except(ground.pieces, {
    read: async function* (...args: Parameters<typeof ground.pieces.read>) {
      await broken();
      yield* ground.pieces.read(...args);
    },
  });
  const chain = new TestChain([group(1, A), group(2, B)]);
  chain.free.set(2, 1e6);
  const primary = await Primary.start(t, ground, { chain, ports: { pieces } });
  const payload = await primary.newObject();
  const context = await seal(primary, payload);
  t.is(context.allocation?.gvgId, 1);
  const [failure, ...more] = await failures(primary, payload);
  t.is(more.length, 3);
  t.is(failure?.code, 'own-segment');
  t.regex(failure?.message ?? '', /No PieceStore/);
});

test('during replication the status line names the columns still missing', async (t) => {
  const { primary, peers, payload } = await start(t);
  const held = gate();
  peers.onOffer = ({ to }) => (to === 4 || to === 6 ? held.opened : undefined);
  await primary.upload(payload);
  const line = await eventually('four columns are complete', () => {
    const activity = primary.line(payload)?.activity;
    return activity?.progress?.done === 4 ? activity : undefined;
  });
  t.is(line.doing, 'replicating to group 1');
  t.is(line.waitsFor, 'sp 4, sp 6');
  held.open();
  await primary.reaches(payload, 'SEAL_OBJECT_DONE');
});

test('columns that hang are given up at the deadline, and the object is rejected', async (t) => {
  const hung = await withTimeEnough(async (jobDeadlineMs) => {
    const { primary, peers, payload } = await start(t, [A], { timing: { jobDeadlineMs } });
    const signals: AbortSignal[] = [];
    peers.onOffer = ({ to }, signal) => {
      if (to !== 4 || !signal) return;
      signals.push(signal);
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    };
    await primary.upload(payload);
    await primary.reaches(payload, 'OBJECT_DISCONTINUED');
    return signals.length > 0 ? signals : undefined;
  });
  t.deepEqual(
    hung.map(({ aborted }) => aborted),
    [true],
  );
});
