import test, { type ExecutionContext } from 'ava';
import { ChainError } from '#protocols/greenfield/chain-errors';
import { type Broadcaster, refusal, type SeenTransaction, type TestChain } from '../../testing/chain.ts';
import { eventually, type Ground, newGround, type Payload, Primary } from '../../testing/primary.ts';
import { sealFailures, twoGroups } from '../../testing/sealing.ts';
import { withStage } from '../../testing/stage.ts';

const stage = withStage(test);

interface Scene {
  readonly ground: Ground;
  readonly primary: Primary;
  readonly chain: TestChain;
  readonly payloads: readonly Payload[];
}

/** Objects of which the first two are sealed alone, and the others together, since they become ready meanwhile. */
async function uploadTogether(
  t: ExecutionContext,
  count: number,
  answers: (chain: TestChain) => readonly Broadcaster[],
): Promise<Scene> {
  const chain = twoGroups();
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const { broadcast } = chain;
  chain.broadcast = async (bytes) => {
    await gate;
    return broadcast.call(chain, bytes);
  };
  chain.answers.push(...answers(chain));
  const ground = await newGround(t, await stage().connection(t));
  const primary = await Primary.start(t, ground, { chain });
  const payloads: Payload[] = [];
  for (let index = 0; index < count; index += 1) {
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
  return { ground, primary, chain, payloads };
}

/** How many objects each transaction was about that has cost a fee. */
const paidFor = (chain: TestChain) => chain.paid.map(({ objects }) => objects.length);

const failed = refusal(ChainError.CHARGE_FAILED, 'failed to execute message; message index: 1: no');

test('seals that are ready at the same time share a transaction, and each is signed alone when that fails in a block', async (t) => {
  const { primary, chain, payloads } = await uploadTogether(t, 4, (on) => {
    const failsTogether: Broadcaster = (seen, take) =>
      seen.objects.length > 1 ? on.include(seen, failed) : take();
    return [failsTogether, failsTogether, failsTogether];
  });
  for (const payload of payloads) await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  t.deepEqual(paidFor(chain), [1, 1, 2, 1, 1]);
  const failures = await Promise.all(payloads.map((payload) => sealFailures(primary, payload)));
  const codes = failures.flat().map(({ code }) => code);
  t.deepEqual(codes, ['seal-refused-together', 'seal-refused-together']);
  t.is(primary.peers.offers.length, 4 * 6, 'nothing was replicated again');
});

/** What has become of a shared transaction when the node that broadcast it comes back. */
interface Fate {
  readonly what: string;
  happens(chain: TestChain, seen: SeenTransaction, take: () => void): void;
  /** How many objects each transaction is about that costs a fee for them. */
  readonly paidFor: readonly number[];
  /** Signatures for each of the objects. */
  readonly signed: number;
}

const FATES: readonly Fate[] = [
  { what: 'is in a block', happens: (_chain, _seen, take) => take(), paidFor: [2], signed: 1 },
  { what: 'is lost', happens: () => {}, paidFor: [2], signed: 1 },
  {
    what: 'is still pending',
    happens(chain, _seen, take) {
      const pending = refusal(ChainError.TX_IN_MEMPOOL);
      chain.answers.push(
        () => pending,
        () => {
          take();
          return pending;
        },
      );
    },
    paidFor: [2],
    signed: 1,
  },
  {
    what: 'has failed in a block',
    happens: (chain, seen) => chain.include(seen, failed),
    paidFor: [2, 1, 1],
    signed: 2,
  },
  {
    what: 'has lost its sequence to another one',
    happens(chain) {
      chain.sequence += 1;
    },
    paidFor: [1, 1],
    signed: 2,
  },
];

for (const fate of FATES) {
  test(`after a restart each object is sealed once when the transaction that seals several ${fate.what}`, async (t) => {
    let shared: Parameters<Broadcaster> | undefined;
    const { ground, primary, chain, payloads } = await uploadTogether(t, 4, () => [
      (_seen, take) => take(),
      (_seen, take) => take(),
      (...broadcast) => {
        shared = broadcast;
        return { code: 0, codespace: '', log: '' };
      },
    ]);
    const [seen, take] = await eventually('the shared transaction is broadcast', () => shared);
    t.is(seen.objects.length, 2);
    await primary.system.stop();
    fate.happens(chain, seen, take);
    const later = await Primary.start(t, ground, { chain });
    for (const payload of payloads) await later.reaches(payload, 'SEAL_OBJECT_DONE');
    t.deepEqual(paidFor(chain), [1, 1, ...fate.paidFor]);
    for (const payload of payloads.slice(2)) {
      t.is((await later.context(payload))?.signedSeals.length, fate.signed);
      const events = await later.events(payload);
      t.is(events.filter(({ type }) => type === 'SealCompleted').length, 1);
    }
    t.is(later.peers.offers.length, 0, 'nothing was replicated again');
  });
}
