import test, { type ExecutionContext } from 'ava';
import { ChainError } from '#protocols/greenfield/chain-errors';
import { type Broadcaster, chainAway, refusal, TestChain } from '../../testing/chain.ts';
import {
  eventually,
  newGround,
  newPayload,
  type Payload,
  Primary,
  type PrimaryOptions,
} from '../../testing/primary.ts';
import { group } from '../../testing/providers.ts';
import { withStage } from '../../testing/stage.ts';

const stage = withStage(test);

const A = [2, 3, 4, 5, 6, 7];
const B = [3, 4, 5, 6, 7, 8];

/** Uploads an object to a primary whose chain answers the first broadcasts so. */
async function upload(
  t: ExecutionContext,
  answers: readonly Broadcaster[],
  options: PrimaryOptions = {},
): Promise<{ primary: Primary; chain: TestChain; payload: Payload }> {
  const chain = new TestChain([group(1, A), group(2, B)]);
  chain.free.set(2, 1e6);
  chain.answers.push(...answers);
  const primary = await Primary.start(t, await newGround(t, await stage().connection(t)), {
    chain,
    ...options,
  });
  const payload = await primary.newObject();
  await primary.upload(payload);
  return { primary, chain, payload };
}

const hashes = (chain: TestChain) => chain.broadcasts.map(({ hash }) => hash);

test('the seal is persisted before its broadcast, with the hash of its transaction', async (t) => {
  const seen: (string | undefined)[] = [];
  const { primary, chain, payload } = await upload(t, []);
  const context = await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  seen.push(context.seal?.hash);
  t.deepEqual(hashes(chain), seen as string[]);
  const types = (await primary.events(payload)).map(({ type }) => type);
  t.deepEqual(types.slice(-4), ['SigningStarted', 'SigningCompleted', 'SealStarted', 'SealCompleted']);
  t.like((await primary.events(payload)).at(-1), { gvgId: 1, transactionHash: context.seal?.hash });
});

test('after a lost reply the chain is checked, and a transaction in a block is not broadcast again', async (t) => {
  const { primary, chain, payload } = await upload(t, [
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
  const { primary, chain, payload } = await upload(t, [
    () => {
      throw chainAway();
    },
    () => {
      throw chainAway();
    },
  ]);
  const context = await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  t.is(chain.broadcasts.length, 3);
  t.deepEqual(new Set(hashes(chain)), new Set([context.seal?.hash ?? '']));
});

test('a seal whose sequence was used by another transaction is signed again', async (t) => {
  const { primary, chain, payload } = await upload(t, [
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
  const failed = (await primary.events(payload)).find(({ type }) => type === 'SealFailed');
  t.like(failed, { failure: { code: 'chain-sdk-32', resume: 'SIGN_OBJECT_DOING' } });
});

test('a sequence used by an earlier broadcast of the same bytes counts as success', async (t) => {
  const { primary, chain, payload } = await upload(t, [
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
  const { primary, chain, payload } = await upload(t, [
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
      const { primary, chain, payload } = await upload(t, [
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
  const { primary, chain, payload } = await upload(t, [
    (seen) => chain.include(seen, refusal(ChainError.OUT_OF_GAS)),
  ]);
  await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  const [first, second] = hashes(chain);
  t.not(first, second);
  const failed = (await primary.events(payload)).find(({ type }) => type === 'SealFailed');
  t.like(failed, { failure: { code: 'chain-sdk-11', resume: 'SIGN_OBJECT_DOING' } });
});

const V2 = '/greenfield.storage.MsgSealObjectV2';

/** Uploads an object whose job begins only after `prepare`. */
async function uploadThen(
  t: ExecutionContext,
  prepare: (chain: TestChain) => void,
  timing: PrimaryOptions['timing'] = {},
): Promise<{ primary: Primary; chain: TestChain; payload: Payload }> {
  const found = await upload(t, [], { pulls: false, timing });
  prepare(found.chain);
  const { primary } = found;
  primary.pullJobs(1);
  return found;
}

test('a seal blocked by a frozen payment account is simulated, not paid for, until the deposit', async (t) => {
  const { primary, chain, payload } = await uploadThen(t, (node) => {
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
  const { primary, chain, payload } = await uploadThen(t, (node) => {
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

test('the back-off of a seal grows until a seal succeeds, despite replications in between', async (t) => {
  const refused: Broadcaster = () => refusal(ChainError.INVALID_GVG, 'secondary sp num mismatch');
  const { primary, payload } = await upload(t, [refused, refused, refused]);
  const context = await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  t.is(context.failedSeals, 3);
  const attempts = (await primary.events(payload)).flatMap((event) =>
    event.type === 'SealFailed' ? [event.failure.attempt] : [],
  );
  t.deepEqual(attempts, [1, 2, 3]);
});

test('a chain node without simulation holds no seal back', async (t) => {
  const { primary, chain, payload } = await uploadThen(t, (node) => {
    node.simulates = false;
  });
  await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  t.is(chain.paid.length, 1);
});

test('a frozen payment account that shows only in blocks costs the job neither group nor receipts', async (t) => {
  const { primary, chain, payload } = await uploadThen(t, (node) => {
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
  const { primary, chain, payload } = await uploadThen(t, (node) => node.gas.set(V2, 240));
  await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  t.deepEqual(
    chain.broadcasts.map(({ gasLimit }) => gasLimit),
    [480],
  );
});

test('a seal whose gas limit has become too low is signed again with the new gas', async (t) => {
  const { primary, chain, payload } = await upload(t, [
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
  const { primary, chain, payload } = await uploadThen(t, (node) => {
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
  const { primary, chain, payload } = await uploadThen(t, (node) => {
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

test('a seal succeeds with a chain node that has no index of transactions', async (t) => {
  const { primary, chain, payload } = await uploadThen(t, (node) => {
    node.indexed = false;
  });
  const context = await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  t.is(context.failedSeals, 0);
  t.is(chain.paid.length, 1);
});

test('without an index of transactions, a seal that failed in a block is signed again once its sequence is used', async (t) => {
  const prepare = (node: TestChain) => {
    node.indexed = false;
    node.answers.push((seen) => node.include(seen, refusal(ChainError.CHARGE_FAILED)));
  };
  const { primary, chain, payload } = await uploadThen(t, prepare, { inclusionTimeoutMs: 60_000 });
  const context = await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  t.deepEqual(
    chain.paid.map(({ sequence }) => sequence),
    [0, 1],
  );
  t.is(context.signedSeals.length, 2);
  t.is(primary.peers.offers.length, 6, 'nothing was replicated again');
  const failures = (await primary.events(payload)).flatMap((event) =>
    event.type === 'SealFailed' ? [event.failure.code] : [],
  );
  t.deepEqual(failures, ['chain-sdk-32'], 'found within one try');
});

test('a seal that is not in a block in time is broadcast again with the same bytes', async (t) => {
  const { primary, chain, payload } = await upload(t, [() => ({ code: 0, codespace: '', log: '' })], {
    timing: { inclusionTimeoutMs: 50 },
  });
  await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  t.is(new Set(hashes(chain)).size, 1);
  const failed = (await primary.events(payload)).find(({ type }) => type === 'SealFailed');
  t.like(failed, { failure: { code: 'seal-timeout', resume: 'SEAL_OBJECT_DOING' } });
});

test('a chain that is unreachable for many tries during the seal costs only time', async (t) => {
  const { primary, chain, payload } = await upload(t, [], { pulls: false });
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
  t.is(new Set(hashes(chain)).size, 1);
});

test('the seal brings the checksums of an object that has none on chain', async (t) => {
  const { primary, chain } = await upload(t, []);
  const payload = await primary.newObject(5_000);
  const { checksums } = payload.object;
  const delegated = { ...payload, object: { ...payload.object, checksums: [] } };
  chain.create(delegated.job, delegated.object);
  const { integrityHash } = await primary.upload(delegated);
  t.is(checksums[0], integrityHash);
  const context = await primary.reaches(delegated, 'SEAL_OBJECT_DONE');
  t.deepEqual(context.payload?.checksums, checksums);
  t.deepEqual(
    Object.values(context.receipts).map((receipt) => receipt.integrityHash),
    checksums.slice(1),
  );
});

test('an update of a sealed object without checksums (a folder) is sealed', async (t) => {
  const { primary, chain } = await upload(t, []);
  const folder = await newPayload(0, { checksums: [] });
  chain.create(folder.job, folder.object, { status: 'SEALED', localVirtualGroupId: 1 });
  const update = await primary.newUpdate(folder, 3_000);
  await primary.upload(update);
  await primary.reaches(update, 'SEAL_OBJECT_DONE');
  t.is(chain.objects.get(folder.job.objectId)?.version, 1);
});

test('the segments of the old version outlive the seal of the new one, for open downloads', async (t) => {
  const { primary, chain, payload } = await upload(t, []);
  await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  const update = await primary.newUpdate(payload, 3_000);
  const whole: boolean[] = [];
  primary.peers.columns.clear();
  primary.peers.onOffer = async () => {
    whole.push((await primary.storedSegments(payload)).every((segment) => segment));
  };
  await primary.upload(update);
  await primary.reaches(update, 'SEAL_OBJECT_DONE');
  t.deepEqual(whole, [true, true, true, true, true, true]);
  await eventually('the queue forgets it', async () => !(await primary.ground.queue.has(update.job)));
  t.true((await primary.storedSegments(payload)).every((segment) => segment));
  const stored = await primary.storedSegments(update);
  t.deepEqual(Buffer.concat(stored.map((segment) => segment ?? Buffer.of())), Buffer.from(update.bytes));
  t.is(chain.objects.get(payload.job.objectId)?.version, 1);
});

test('an object that is deleted while its seal is pending ends the job', async (t) => {
  const { primary, payload, chain } = await upload(t, [
    () => {
      chain.objects.delete(payload.job.objectId);
      return { code: 0, codespace: '', log: '' };
    },
  ]);
  await primary.reaches(payload, 'OBJECT_DISCONTINUED');
  t.is(chain.broadcasts.length, 1);
});

test('seals that are ready at the same time share a transaction, and each is signed alone when that fails in a block', async (t) => {
  const chain = new TestChain([group(1, A), group(2, B)]);
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const { broadcast } = chain;
  chain.broadcast = async (bytes) => {
    await gate;
    return broadcast.call(chain, bytes);
  };
  const failed = refusal(ChainError.CHARGE_FAILED, 'failed to execute message; message index: 1: no');
  const failsTogether: Broadcaster = (seen, take) =>
    seen.objects.length > 1 ? chain.include(seen, failed) : take();
  chain.answers.push(failsTogether, failsTogether, failsTogether);
  const primary = await Primary.start(t, await newGround(t, await stage().connection(t)), { chain });
  const payloads: Payload[] = [];
  for (let index = 0; index < 4; index += 1) {
    const payload = await primary.newObject();
    payloads.push(payload);
    // These peers keep the columns of one object at a time.
    primary.peers.columns.clear();
    await primary.upload(payload);
    await eventually('it is to be signed, or the first to be broadcast', async () => {
      const { state } = (await primary.context(payload)) ?? {};
      return state === 'SIGN_OBJECT_DOING' || (index === 0 && state === 'SEAL_OBJECT_DOING');
    });
  }
  open();
  for (const payload of payloads) await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  t.deepEqual(
    chain.paid.map(({ objects }) => objects.length),
    [1, 1, 2, 1, 1],
  );
  const codes = await Promise.all(
    payloads.map(async (payload) =>
      (await primary.events(payload)).flatMap((event) =>
        event.type === 'SealFailed' ? [event.failure.code] : [],
      ),
    ),
  );
  t.deepEqual(codes.flat(), ['seal-refused-together', 'seal-refused-together']);
  t.is(primary.peers.offers.length, 4 * 6, 'nothing was replicated again');
});
