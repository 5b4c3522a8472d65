import test from 'ava';
import { eventually } from '../../testing/primary.ts';
import { upload, uploadThen } from '../../testing/sealing.ts';
import { withStage } from '../../testing/stage.ts';

const stage = withStage(test);

const V2 = '/greenfield.storage.MsgSealObjectV2';

test('a seal blocked by a frozen payment account is simulated, not paid for, until the deposit', async (t) => {
  const { primary, chain, payload } = await uploadThen(t, stage(), (node) => {
    node.frozen = true;
  });
  const waiting = await eventually('several tries have failed', async () => {
    const context = await primary.context(payload);
    return context && context.failedSeals >= 4 && context.failure ? context : undefined;
  });
  t.like(waiting.failure, { code: 'chain-storage-1123', resume: 'SEAL_OBJECT_DOING' });
  t.regex(waiting.failure?.message ?? '', /unlock store fee failed: .* is frozen/);
  t.regex(waiting.failure?.advice ?? '', /must deposit BNB/);
  t.is(chain.paid.length, 0, 'nothing was paid');
  t.is(waiting.signedSeals.length, 1, 'always the same bytes');
  t.is(Object.keys(waiting.receipts).length, 6, 'the receipts hold');
  chain.frozen = false;
  const sealed = await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  t.is(sealed.allocation?.gvgId, 1);
  t.is(chain.paid.length, 1);
  t.is(primary.peers.offers.length, 6, 'nothing was replicated again');
});

test('a waiting seal whose sequence was used by others is signed again at once', async (t) => {
  const { primary, chain, payload } = await uploadThen(t, stage(), (node) => {
    node.frozen = true;
  });
  await eventually('a try has failed', async () => (await primary.context(payload))?.failure);
  chain.sequence += 3;
  chain.frozen = false;
  const context = await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  t.deepEqual(
    chain.paid.map(({ sequence }) => sequence),
    [3],
  );
  t.is(context.signedSeals.length, 2);
});

test('a chain node without simulation holds no seal back', async (t) => {
  const { primary, chain, payload } = await uploadThen(t, stage(), (node) => {
    node.simulates = false;
  });
  await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  t.is(chain.paid.length, 1);
});

test('a frozen payment account that shows only in blocks costs the job neither group nor receipts', async (t) => {
  const { primary, chain, payload } = await uploadThen(t, stage(), (node) => {
    node.frozen = true;
    node.simulates = false;
  });
  await eventually('two seals have failed in blocks', () => chain.paid.length >= 2);
  chain.frozen = false;
  const context = await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  t.is(context.allocation?.gvgId, 1);
  t.is(primary.peers.offers.length, 6);
  t.is(context.signedSeals.length, chain.paid.length);
});

test('a seal pays for gas that the chain has doubled', async (t) => {
  const { primary, chain, payload } = await uploadThen(t, stage(), (node) => node.gas.set(V2, 240));
  await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  t.deepEqual(
    chain.broadcasts.map(({ gasLimit }) => gasLimit),
    [480],
  );
});

test('a seal whose gas limit has become too low is signed again with the new gas', async (t) => {
  const { primary, chain, payload } = await upload(t, stage(), [
    (_seen, take) => {
      chain.gas.set(V2, 1_000);
      return take();
    },
  ]);
  const context = await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  t.deepEqual(
    chain.broadcasts.map(({ gasLimit }) => gasLimit),
    [240, 2_000],
  );
  t.is(context.signedSeals.length, 2);
  t.is(chain.paid.length, 1);
});

test('a chain node that asks for a higher price gets it', async (t) => {
  const { primary, chain, payload } = await uploadThen(t, stage(), (node) => {
    node.minGasPrice *= 3n;
  });
  await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  t.deepEqual(
    chain.broadcasts.map(({ fee, gasLimit }) => fee / BigInt(gasLimit)),
    [5_000_000_000n, 15_000_000_000n],
  );
  t.is(chain.paid.length, 1);
});

test('a seal account without BNB is reported, and the seal continues once it has some', async (t) => {
  const { primary, chain, payload } = await uploadThen(t, stage(), (node) => {
    node.balance = 0n;
  });
  const { failure } = await eventually('it has failed', async () => {
    const context = await primary.context(payload);
    return context?.failure && context;
  });
  t.is(failure?.code, 'chain-sdk-5');
  t.regex(failure?.advice ?? '', /Send BNB to the seal account/);
  chain.balance = 10n ** 18n;
  const context = await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  t.is(context.signedSeals.length, 1);
  t.is(chain.paid.length, 1);
});
