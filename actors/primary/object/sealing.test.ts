import test from 'ava';
import { ChainError } from '#protocols/greenfield/chain-errors';
import { type Broadcaster, chainAway, refusal, type TestChain } from '../../testing/chain.ts';
import { eventually } from '../../testing/primary.ts';
import { hashesOf, sealFailures, upload, uploadThen } from '../../testing/sealing.ts';
import { withStage } from '../../testing/stage.ts';

const stage = withStage(test);

test('the seal is persisted before its broadcast, with the hash of its transaction', async (t) => {
  const seen: (string | undefined)[] = [];
  const { primary, chain, payload } = await upload(t, stage(), []);
  const context = await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  seen.push(context.seal?.hash);
  t.deepEqual(hashesOf(chain), seen as string[]);
  const types = (await primary.events(payload)).map(({ type }) => type);
  t.deepEqual(types.slice(-4), ['SigningStarted', 'SigningCompleted', 'SealStarted', 'SealCompleted']);
  t.like((await primary.events(payload)).at(-1), { gvgId: 1, transactionHash: context.seal?.hash });
});

test('a seal that was just signed is broadcast before the chain is asked for it', async (t) => {
  const broadcastBefore: number[] = [];
  const { primary, payload } = await uploadThen(t, stage(), (chain) => {
    const { transaction } = chain;
    chain.transaction = async (hash) => {
      broadcastBefore.push(chain.broadcasts.length);
      return transaction.call(chain, hash);
    };
  });
  await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  t.true(broadcastBefore.length > 0 && broadcastBefore.every((count) => count > 0));
});

test('after a lost reply the chain is checked, and a transaction in a block is not broadcast again', async (t) => {
  const { primary, chain, payload } = await upload(t, stage(), [
    (_seen, take) => {
      take();
      throw chainAway();
    },
  ]);
  const context = await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  t.is(chain.broadcasts.length, 1);
  t.is(context.signedSeals.length, 1);
});

test('a broadcast that did not arrive is repeated with the same bytes', async (t) => {
  const { primary, chain, payload } = await upload(t, stage(), [
    () => {
      throw chainAway();
    },
    () => {
      throw chainAway();
    },
  ]);
  const context = await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  t.is(chain.broadcasts.length, 3);
  t.deepEqual(new Set(hashesOf(chain)), new Set([context.seal?.hash ?? '']));
});

test('a seal whose sequence was used by another transaction is signed again', async (t) => {
  const { primary, chain, payload } = await upload(t, stage(), [
    (_seen, take) => {
      chain.sequence += 1;
      return take();
    },
  ]);
  const context = await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  t.deepEqual(
    chain.broadcasts.map(({ sequence }) => sequence),
    [0, 1],
  );
  t.is(context.signedSeals.length, 2);
  const [failed] = await sealFailures(primary, payload);
  t.like(failed, { code: 'chain-sdk-32', resume: 'SIGN_OBJECT_DOING' });
});

test('a sequence used by an earlier broadcast of the same bytes counts as success', async (t) => {
  const { primary, chain, payload } = await upload(t, stage(), [
    (_seen, take) => {
      take();
      return refusal(ChainError.WRONG_SEQUENCE, 'account sequence mismatch, expected 1, got 0');
    },
  ]);
  const context = await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  t.is(chain.broadcasts.length, 1);
  t.is(context.failedTries, 0);
});

test('"already sealed" counts as success when the object is sealed', async (t) => {
  const { primary, chain, payload } = await upload(t, stage(), [
    () => {
      chain.seal(payload.job.objectId, 1);
      return refusal(ChainError.OBJECT_ALREADY_SEALED);
    },
  ]);
  const context = await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  t.is(chain.broadcasts.length, 1);
  t.is(context.failedTries, 0);
});

for (const error of [ChainError.INVALID_GVG, ChainError.INVALID_BLS_SIGNATURE]) {
  for (const where of ['by the node', 'in a block'] as const) {
    test(`"${error.text}" ${where} moves the job to another group`, async (t) => {
      const { primary, chain, payload } = await upload(t, stage(), [
        (seen) => (where === 'in a block' ? chain.include(seen, refusal(error)) : refusal(error)),
      ]);
      const context = await primary.reaches(payload, 'SEAL_OBJECT_DONE');
      t.is(context.allocation?.gvgId, 2);
      t.deepEqual(
        chain.broadcasts.map(({ gvgId }) => gvgId),
        [1, 2],
      );
      t.deepEqual(
        Object.values(context.receipts).map(({ gvgId }) => gvgId),
        [2, 2, 2, 2, 2, 2],
      );
    });
  }
}

test('a seal that failed in a block for a temporary reason is signed again', async (t) => {
  const { primary, chain, payload } = await upload(t, stage(), [
    (seen) => chain.include(seen, refusal(ChainError.OUT_OF_GAS)),
  ]);
  await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  const [first, second] = hashesOf(chain);
  t.not(first, second);
  const [failed] = await sealFailures(primary, payload);
  t.like(failed, { code: 'chain-sdk-11', resume: 'SIGN_OBJECT_DOING' });
});

test('the back-off of a seal grows until a seal succeeds, despite replications in between', async (t) => {
  const refused: Broadcaster = () => refusal(ChainError.INVALID_GVG, 'secondary sp num mismatch');
  const { primary, payload } = await upload(t, stage(), [refused, refused, refused]);
  await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  const attempts = (await sealFailures(primary, payload)).map(({ attempt }) => attempt);
  t.is(attempts.length, 3);
  t.true(attempts.every((attempt, index) => index === 0 || attempt > (attempts[index - 1] ?? 0)));
});

test('a seal succeeds with a chain node that has no index of transactions', async (t) => {
  const { primary, chain, payload } = await uploadThen(t, stage(), (node) => {
    node.indexed = false;
  });
  await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  t.deepEqual(await sealFailures(primary, payload), []);
  t.is(chain.paid.length, 1);
});

test('without an index of transactions, a seal that failed in a block is signed again once its sequence is used', async (t) => {
  const prepare = (node: TestChain) => {
    node.indexed = false;
    node.answers.push((seen) => node.include(seen, refusal(ChainError.CHARGE_FAILED)));
  };
  const { primary, chain, payload } = await uploadThen(t, stage(), prepare, { inclusionTimeoutMs: 60_000 });
  const context = await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  t.deepEqual(
    chain.paid.map(({ sequence }) => sequence),
    [0, 1],
  );
  t.is(context.signedSeals.length, 2);
  t.is(primary.peers.offers.length, 6, 'nothing was replicated again');
  const codes = (await sealFailures(primary, payload)).map(({ code }) => code);
  t.deepEqual(codes, ['chain-sdk-32'], 'found within one try');
});

test('a seal that is not in a block in time is broadcast again with the same bytes', async (t) => {
  const { primary, chain, payload } = await upload(
    t,
    stage(),
    [() => ({ code: 0, codespace: '', log: '' })],
    {
      timing: { inclusionTimeoutMs: 50 },
    },
  );
  await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  t.is(new Set(hashesOf(chain)).size, 1);
  const [failed] = await sealFailures(primary, payload);
  t.like(failed, { code: 'seal-timeout', resume: 'SEAL_OBJECT_DOING' });
});

test('a chain that is unreachable for many tries during the seal costs only time', async (t) => {
  const { primary, chain, payload } = await upload(t, stage(), [], { pulls: false });
  chain.answers.push(() => {
    chain.outage = chainAway();
    throw chain.outage;
  });
  primary.pullJobs(1);
  await eventually('several tries have failed', async () => {
    const { failedSeals = 0 } = (await primary.context(payload)) ?? {};
    return failedSeals >= 3;
  });
  chain.outage = undefined;
  const context = await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  t.is(context.signedSeals.length, 1, 'always the same bytes');
  t.is(new Set(hashesOf(chain)).size, 1);
});
