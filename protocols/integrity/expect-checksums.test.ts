import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import test from 'ava';
import fc from 'fast-check';
import { Cancelled, Terminal } from '../errors.ts';
import { planPayload } from '../payload/plan.ts';
import { redundancyCode } from '../payload/redundancy.ts';
import { checksum, integrityHash } from './checksums.ts';
import { expectChecksums } from './expect-checksums.ts';

/** What clients compute with today; right where the data shards divide the segment size (protocols/erasure/README.md#the-code). */
const { ReedSolomon: ClientLibrary } = createRequire(import.meta.url)('@bnb-chain/reed-solomon') as {
  ReedSolomon: new (
    data: number,
    parity: number,
    segmentSize: number,
  ) => { encode(bytes: Uint8Array): string[] };
};

const base64ToHex = (text: string) => Buffer.from(text, 'base64').toString('hex');
const MiB = 1024 * 1024;
const mainnet = { redundancy: 'EC', dataChunks: 4, parityChunks: 2, maxSegmentSize: 16 * MiB } as const;
const bytes = (length: number, at: (i: number) => number) => Uint8Array.from({ length }, (_, i) => at(i));

const vectors = [
  {
    name: 'hello world',
    payload: new TextEncoder().encode('hello world'),
    maxSegmentSize: 16 * MiB,
    checksums: `bc62d4b80d9e36da29c16c5d4d9f11731f36052c72401a76c23c0fb5a9b74423
      7fc8e8d337c5a486405d983526243cc5a651c19a528a5b1f2f73c68ae351fb42
      272f2673e2589209042a0a024b23a268d57ad0b1a375c68a18e209d250488a69
      cd896deb498a655b4bc6387317d88d7bb18cc2f5a55deb7e98359383223112da
      4c148e861612c42318111e70745c50bc415e7024054b0dad943df1c06459ad7e
      ab19f77156321ed51dd462caf38cb24c6e9fcaa7d9e6d65ec06f52a328adb604
      971c26b6de62f529c0477d1df7a91aa1112447ed60240d242305c6f900623a49`,
  },
  {
    name: 'one byte',
    payload: Uint8Array.of(0x61),
    maxSegmentSize: 16 * MiB,
    checksums: `bf5d3affb73efd2ec6c36ad3112dd933efed63c4e1cbffcfa88e2759c144f2d8
      bf5d3affb73efd2ec6c36ad3112dd933efed63c4e1cbffcfa88e2759c144f2d8
      1406e05881e299367766d313e26c05564ec91bf721d31726bd6e46e60689539a
      1406e05881e299367766d313e26c05564ec91bf721d31726bd6e46e60689539a
      1406e05881e299367766d313e26c05564ec91bf721d31726bd6e46e60689539a
      eeccd850d6c897e36c8a55a1469fc81e8bd0b255823439b956c821b77eeaaaeb
      4e88e394d7df2bb7a0ec3aa81282a8dfb3168958923b419b59d6940737f4db11`,
  },
  {
    name: '16 bytes',
    payload: bytes(16, (i) => i),
    maxSegmentSize: 16 * MiB,
    checksums: `fc793c641b354b10b9a264ad4f541f6efe8445a0d05fe39336a126252b166e8b
      f7a355c00c89a08c80636bed35556a210b51786f6803a494f28fc5ba05959fc2
      377cc742d0408da71d671f3773f97cb84da1ba30df7b6b4c5aa2dea75361d17c
      4ccc5e124cad44a8a6a2282b66ff9fa6ba8fd1ed22fa41e2e339e8f68983c012
      4e05f3b9649335c332f8a99cbaa56e637f3dc99a446f7f6af0f92ea7756717e0
      51777358b2cf923296960a8b6c5a9d4b1a25f3a3c15d7e6a86e486669b0be731
      31b98f274ce2134f730f6c760e2597306e6fe2f34c5846669c89df02b4672337`,
  },
  {
    name: '17 bytes in segments of 16',
    payload: bytes(17, (i) => i),
    maxSegmentSize: 16,
    checksums: `d0dec718215e41d7e53b080a8aaeb60bce9f1e8a04a1a8cb373d9b1331a0fc01
      1f0d3084bf41eac0f99fa45f2504917f735f906f5c69149d0ea5bac616eeab87
      26a7d0949534913985a80ab926c14eb0f6a16aedb8b53cb676fa16cd2769f5d6
      3ddbf83f0a7bed4b8a868be06b186c47680a78984e4bbe83401e00379febb6a3
      10f4e56b50680011437953580842083cb672323d37e967c9f341767c4dea7d2f
      d915bebbb6aaba6f5ce58b3f132433fba6d1692ab74018dd8d36246b7f60a104
      df7d540ee58f52f8373782a72cdbb3027ea05a5b728445f04dd91f07bf74b3b7`,
  },
  {
    name: '100 bytes in segments of 32',
    payload: bytes(100, (i) => i % 251),
    maxSegmentSize: 32,
    checksums: `421059d732142c0ab115e29a39e6f4c581366474144f9934b048f69e58d3dbdb
      7daef0734533f1264842a6c11f8cc6c24480097de321797897a163dadd72750f
      9c40a4e1013cff93bef11f1cae5f0a46c0458823eaf19984c7f31229dd40b124
      5401becad5a49f9a074b25f748dbe88c89ed4c18a571d93e652f737741794724
      2c8c937a64d62c002d7f358f825ef59d595d70b48143d85dfe75773ddb257722
      a80aeddc082ce3a45d8d062d21d3bbe0a8acd4e14e0a3152ed724342ce967772
      280a4d10c2b562f272df1b859ed3d71155b1a91769513082a679b44dcc42b0bf`,
  },
  {
    name: '1000 bytes in segments of 256',
    payload: bytes(1000, (i) => (7 * i + 3) % 256),
    maxSegmentSize: 256,
    checksums: `46ba93e394c54c12c42f27f048411bc742e02150d341a9b11944b015188a2d7a
      02d30ada08f79f1d0cbe655b171c77037d7df91cdd0e32474d35af812650346e
      7d9cf048bf42b2dbaa6b55a9117056fde4692d504b4df05c0057727472938c68
      2abcaa679184a46382a09efc124d17cc4eda0f6ceb40ec56240c013f4229cca7
      ed04812984a883bf452caff038811680235da9475b6990e55f18bd70538aa0a9
      6068694463e15f3e1c0bcb6ed3af7e1cfa2346f6c14403d5a11ab806b490aa5d
      e6584066d972d2fe1775688a9e5a6342ea3a96bc00a4caaf44261e3923953464`,
  },
];

for (const { name, payload, maxSegmentSize, checksums } of vectors) {
  test(`checksums of ${name}`, async (t) => {
    t.deepEqual(await expectChecksums([payload], { ...mainnet, maxSegmentSize }), checksums.split(/\s+/));
  });
}

test('a payload has the checksums that the client library computes', async (t) => {
  const cases = fc.record({
    maxSegmentSize: fc.integer({ min: 1, max: 150 }).map((n) => 4 * n),
    payload: fc.integer({ min: 1, max: 3000 }).map((length) => new Uint8Array(randomBytes(length))),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ payload, maxSegmentSize }) => {
      const expected = new ClientLibrary(4, 2, maxSegmentSize).encode(payload).map(base64ToHex);
      t.deepEqual(await expectChecksums([payload], { ...mainnet, maxSegmentSize }), expected);
    }),
    { numRuns: 100 },
  );
});

test("checksums match the client library with today's segment size", async (t) => {
  for (const length of [100_003, 16 * MiB + 5]) {
    const payload = new Uint8Array(randomBytes(length));
    const expected = new ClientLibrary(4, 2, mainnet.maxSegmentSize).encode(payload).map(base64ToHex);
    t.deepEqual(await expectChecksums([payload], mainnet), expected);
  }
});

test('checksums match the client library with other shard counts', async (t) => {
  for (const [dataChunks, parityChunks] of [
    [2, 1],
    [6, 3],
    [8, 4],
  ] as const) {
    const maxSegmentSize = 10 * dataChunks;
    const payload = new Uint8Array(randomBytes(333));
    const expected = new ClientLibrary(dataChunks, parityChunks, maxSegmentSize)
      .encode(payload)
      .map(base64ToHex);
    const shape = { redundancy: 'EC', dataChunks, parityChunks, maxSegmentSize } as const;
    t.deepEqual(await expectChecksums([payload], shape), expected);
  }
});

/** Cuts bytes into chunks of random lengths, some of them empty, as a stream would. */
async function* stream(payload: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const cut of cuts) {
    yield payload.slice(at, at + cut);
    at += cut;
  }
  yield payload.slice(at);
}

test('with any chunks, segment size and counts, each role hashes what it will store', async (t) => {
  const cases = fc.record({
    payload: fc.uint8Array({ maxLength: 1000 }),
    cuts: fc.array(fc.nat(300), { maxLength: 10 }),
    shape: fc.record({
      redundancy: fc.constantFrom('EC' as const, 'REPLICA' as const),
      maxSegmentSize: fc.integer({ min: 1, max: 400 }),
      dataChunks: fc.integer({ min: 1, max: 9 }),
      parityChunks: fc.nat(5),
    }),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ payload, cuts, shape }) => {
      const plan = planPayload({ ...shape, payloadSize: payload.length });
      const segments = Array.from({ length: plan.segmentCount }, (_, i) => {
        const { offset, length } = plan.segment(i);
        return payload.subarray(offset, offset + length);
      });
      const code = redundancyCode(shape);
      const expected = [
        integrityHash(segments.map(checksum)),
        ...Array.from({ length: plan.columnCount }, (_, i) =>
          integrityHash(segments.map((segment) => checksum(code.shard(segment, i)))),
        ),
      ];
      t.deepEqual(await expectChecksums(stream(payload, cuts), shape), expected);
    }),
  );
});

test('all roles of a replicated object have one checksum', async (t) => {
  const payload = bytes(100, (i) => i % 251);
  const shape = { ...mainnet, redundancy: 'REPLICA', maxSegmentSize: 32 } as const;
  const all = await expectChecksums([payload], shape);
  t.deepEqual(all, Array(7).fill('421059d732142c0ab115e29a39e6f4c581366474144f9934b048f69e58d3dbdb'));
});

test('an empty payload has the checksums of a folder', async (t) => {
  const empty = base64ToHex('47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=');
  t.deepEqual(await expectChecksums([], mainnet), Array(7).fill(empty));
});

test('an abort ends the computation and closes the source', async (t) => {
  const abort = new AbortController();
  let closed = false;
  async function* endless() {
    try {
      for (;;) yield new Uint8Array(1000);
    } finally {
      closed = true;
    }
  }
  setImmediate(() => abort.abort());
  async function* paced() {
    for await (const chunk of endless()) {
      yield chunk;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  await t.throwsAsync(expectChecksums(paced(), mainnet, { signal: abort.signal }), { instanceOf: Cancelled });
  t.true(closed);
});

test('impossible parameters are refused', async (t) => {
  await t.throwsAsync(expectChecksums([], { ...mainnet, maxSegmentSize: 0 }), { instanceOf: Terminal });
});
