import test from 'ava';
import { DevnetDecisions } from '../client/devnet-decisions.ts';
import { network } from './eight-providers.ts';
import { until } from './until.ts';

const SEGMENT = 64 * 1024;
const BNB = 10n ** 18n;
const IS_FROZEN = /unlock store fee failed: .* is frozen/;
const SEAL = '/greenfield.storage.MsgSealObjectV2';

/** Number of transactions of an SP's seal account in blocks: each has cost its fee. */
async function paid(spId: number): Promise<number> {
  const { chain } = network();
  const sps = await chain.storageProviders();
  const { sealAddress = '' } = sps.find(({ id }) => id === spId) ?? {};
  return (await chain.account(sealAddress))?.sequence ?? 0;
}

test.serial(
  'the object of a frozen owner is sealed after the deposit, without cost or replication until then',
  async (t) => {
    const net = network();
    const decisions = new DevnetDecisions(net.devnet.file.chain.rpc);
    const object = await net.createObject(await net.createBucket(1), { size: 3 * SEGMENT });
    await decisions.useUpBalance(net.account.address);
    const before = await paid(1);
    await net.put(1, object);
    const failures = await until('the seal was tried in vain', async () => {
      const { events = [] } = (await net.job(1, object.job)) ?? {};
      const failed = events.flatMap((event) => (event.type === 'SealFailed' ? [event] : []));
      // Others, of a machine that stalls, have pauses of their own.
      const frozen = failed.filter(({ failure }) => IS_FROZEN.test(failure.message));
      return frozen.length >= 3 && frozen;
    });
    t.true((failures.at(-1)?.at ?? 0) - (failures[0]?.at ?? 0) >= 30_000, 'the tries come ever later');
    t.is(await paid(1), before, 'nothing was paid');

    await net.account.deposit(net.account.address, BNB);
    const { gvg } = await net.sealed(object);
    const { context: sealed, events: all } = await until('the job knows', async () => {
      const job = await net.job(1, object.job);
      return job?.context.state === 'SEAL_OBJECT_DONE' && job;
    });
    t.is(gvg?.id, sealed.allocation?.gvgId);
    t.is(all.filter(({ type }) => type === 'ReplicationStarted').length, 1, 'replicated once');
    t.is(await paid(1), before + 1);
    t.true((await net.get(1, object)).equals(object.payload));
  },
);

test.serial('seals continue after governance raises their gas', async (t) => {
  const net = network();
  const decisions = new DevnetDecisions(net.devnet.file.chain.rpc);
  const bucket = await net.createBucket(2);
  for (const gas of [120, 240, 2_000]) {
    await decisions.setMessageGas(SEAL, gas);
    const object = await net.createObject(bucket, { size: 2 * SEGMENT });
    await net.put(2, object);
    await net.sealed(object);
  }
  t.is(await paid(2), 3, 'none was paid in vain');
});
