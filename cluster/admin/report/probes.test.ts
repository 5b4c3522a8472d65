import { tmpdir } from 'node:os';
import test from 'ava';
import { Retryable, Terminal } from '#protocols/errors';
import { connectNats } from '#runtime/nats/connect';
import { startNatsServer } from '#runtime/nats/server';
import { silentLogger as log } from '#runtime/telemetry/logger';
import { watchSpace } from '../../node/free-space.ts';
import { reportOf } from '../testing/view.ts';
import { type ProbeOptions, Probes } from './probes.ts';
import { readinessOf, troublesOf } from './troubles.ts';

/** What a node says of itself when all is well; a test replaces what is not. */
function wellBut(parts: Partial<ProbeOptions>): Probes {
  return new Probes({
    chain: { latestBlock: async () => ({ height: 7, time: Date.now() }) },
    homeLink: { rtt: async () => 1, info: { version: '2.10.27' } } as ProbeOptions['homeLink'],
    journal: { position: async () => 9 },
    records: { position: async () => 7 },
    space: async () => ({ freeBytes: 2 ** 40 }),
    ...parts,
  });
}

async function troubles(probes: Probes) {
  const { disk, ...found } = await probes.look();
  const report = reportOf('sp-1@a', { ...found, disk: { ...disk, reserveBytes: 2 ** 30 } });
  return { what: troublesOf(report).map(({ what }) => what), isReady: readinessOf(report).isReady };
}

const never = () => new Promise<never>(() => undefined);
const away = (code: string) => () => Promise.reject(new Retryable({ code, message: 'no' }));

test('a node without trouble is ready, and says how far the SQL DB is behind', async (t) => {
  t.deepEqual(await troubles(wellBut({})), { what: [], isReady: true });
  t.like(await wellBut({}).look(), { records: { reachable: true, behind: 2 }, chain: { height: 7 } });
});

test('clients are sent elsewhere when NATS is gone, and when JetStream alone is', async (t) => {
  const server = await startNatsServer();
  const homeLink = await connectNats({ url: server.url, name: 'test', log });
  t.teardown(async () => {
    await homeLink.close();
    await server.stop();
  });
  const space = watchSpace(homeLink, tmpdir());
  t.deepEqual(await troubles(wellBut({ homeLink, space })), { what: [], isReady: true });
  await server.stop();
  t.deepEqual(await troubles(wellBut({ homeLink, space: away('nats-unavailable') })), {
    what: ['NATS does not answer'],
    isReady: false,
  });
  t.deepEqual(await troubles(wellBut({ space: away('jetstream-disabled') })), {
    what: ['JetStream does not answer'],
    isReady: false,
  });
});

test('a fenced node is not ready, and remains fenced', async (t) => {
  let isFenced = true;
  const check = async () => {
    if (isFenced) throw new Terminal({ code: 'journal-fenced', message: 'no' });
  };
  const probes = wellBut({ succession: { check } as NonNullable<ProbeOptions['succession']> });
  t.false((await troubles(probes)).isReady);
  isFenced = false;
  t.true((await probes.look()).fenced);
});

test('a node stays ready while chain, SQL DB or other SPs are away, or the disk is full, and says so', async (t) => {
  const lagging = { latestBlock: async () => ({ height: 7, time: Date.now() - 60_000 }) };
  const cases: readonly (readonly [Partial<ProbeOptions>, RegExp])[] = [
    [{ chain: { latestBlock: away('chain-unavailable') } }, /^the chain does not answer$/],
    [{ chain: lagging }, /^the newest block of the chain is 60 s old$/],
    [{ records: { position: away('records-unavailable') } }, /^the SQL DB does not answer$/],
    [{ space: async () => ({ freeBytes: 5 }) }, /^5 bytes are free/],
    [{ peersLink: { rtt: away('gone') } as unknown as ProbeOptions['homeLink'] }, /connects the storage/],
  ];
  for (const [parts, expected] of cases) {
    const { what, isReady } = await troubles(wellBut(parts));
    t.is(what.length, 1);
    t.regex(what[0] ?? '', expected);
    t.true(isReady);
  }
});

test('a journal that does not answer is not taken for the SQL DB', async (t) => {
  const { records } = await wellBut({ journal: { position: away('journal-unavailable') } }).look();
  t.deepEqual(records, { reachable: true });
});

test('nothing that hangs keeps an answer from being given', async (t) => {
  const probes = wellBut({
    chain: { latestBlock: never },
    homeLink: { rtt: never } as unknown as ProbeOptions['homeLink'],
    journal: { position: never },
    records: { position: never },
    space: never,
  });
  t.like(await probes.look(), {
    chain: { error: 'timeout' },
    nats: { connected: false, jetStream: false },
    records: { reachable: false },
  });
});
