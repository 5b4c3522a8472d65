import { createHash, randomBytes } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import type { ListedPiece, PieceStore } from './piece-store.ts';

const MiB = 1024 * 1024;
const NOTHING = { purged: 0, unclaimed: 0 };

/** The contract of every PieceStore. `open` returns an empty one for each test and closes it with the test. */
export function pieceStoreContract(title: string, open: (t: ExecutionContext) => Promise<PieceStore>): void {
  const holds = (what: string, run: (t: ExecutionContext, store: PieceStore) => Promise<void>) =>
    test(`${title}: ${what}`, async (t) => run(t, await open(t)));

  for (const size of [0, 1, MiB - 4096, MiB, 5 * MiB + 17]) {
    holds(`a piece of ${size} bytes is read as it was put, with its checksum`, async (t, store) => {
      const bytes = randomBytes(size);
      const piece = { key: '4711+s0', size, checksum: sha256(bytes) };
      t.deepEqual(await store.put('4711+s0', bytes), piece);
      t.deepEqual(await store.stat('4711+s0'), piece);
      t.true(bytes.equals(await store.get('4711+s0')));
      t.true(bytes.equals(await collect(store.read('4711+s0'))));
    });
  }

  holds('a stream of odd frames is stored like its bytes', async (t, store) => {
    const bytes = randomBytes(3 * MiB + 5);
    t.is((await store.put('k', frames(bytes, 70_001))).checksum, sha256(bytes));
    t.true(bytes.equals(await store.get('k')));
  });

  holds('a range is read without the rest', async (t, store) => {
    const bytes = randomBytes(3 * MiB + 5);
    await store.put('k', bytes);
    const ranges: [number, number][] = [
      [0, 1],
      [0, MiB],
      [MiB - 1, 2],
      [MiB + 7, MiB],
      [2 * MiB, 10 * MiB],
      [3 * MiB + 4, 1],
      [3 * MiB + 5, 1],
      [9 * MiB, 1],
      [5, 0],
    ];
    for (const [offset, length] of ranges) {
      const got = await collect(store.read('k', { offset, length }));
      t.true(bytes.subarray(offset, offset + length).equals(got), `${offset}+${length}`);
    }
    t.true(bytes.subarray(MiB).equals(await collect(store.read('k', { offset: MiB }))));
    await t.throwsAsync(collect(store.read('k', { offset: -1 })), { code: 'bad-range' });
    await t.throwsAsync(collect(store.read('k', { length: 0.5 })), { code: 'bad-range' });
  });

  holds('the same bytes may be put again, other bytes may not', async (t, store) => {
    const bytes = randomBytes(MiB + 1);
    const piece = await store.put('k', bytes);
    t.deepEqual(await store.put('k', bytes), piece);
    t.deepEqual(await store.put('k', frames(bytes, 4096)), piece);
    const other = store.put('k', randomBytes(MiB + 1));
    await t.throwsAsync(other, { name: 'Terminal', code: 'piece-exists' });
    t.true(bytes.equals(await store.get('k')));
  });

  holds('a name that was written since it was seen as free is not overwritten', async (t, store) => {
    const bytes = randomBytes(3 * MiB);
    const seen = { seenAbsent: true };
    t.is((await store.put('k', bytes, seen)).size, bytes.length);
    await store.put('k', bytes, seen);
    await t.throwsAsync(store.put('k', randomBytes(3 * MiB), seen), { code: 'piece-exists' });
    t.true(bytes.equals(await store.get('k')));
    t.deepEqual(await store.sweep({ olderThanMs: 0, limit: 1000 }), NOTHING);
  });

  holds('of many simultaneous puts of one name, one wins', async (t, store) => {
    const contents = Array.from({ length: 6 }, () => randomBytes(MiB + 9));
    const outcomes = await Promise.allSettled(contents.map((bytes) => store.put('k', bytes)));
    const winners = contents.filter((_, i) => outcomes[i]?.status === 'fulfilled');
    t.is(winners.length, 1);
    t.true(winners[0]?.equals(await store.get('k')));
    t.true(outcomes.every((o) => o.status === 'fulfilled' || o.reason.code === 'piece-exists'));
    t.deepEqual(await store.sweep({ olderThanMs: 0, limit: 1000 }), NOTHING, 'the losers left no chunks');
  });

  holds('simultaneous equal puts of one name all succeed', async (t, store) => {
    const bytes = randomBytes(MiB + 9);
    const pieces = await Promise.all(Array.from({ length: 4 }, () => store.put('k', bytes)));
    for (const piece of pieces) t.is(piece.checksum, sha256(bytes));
    t.true(bytes.equals(await store.get('k')));
  });

  holds('an absent piece is missing and may be deleted, and an empty name is refused', async (t, store) => {
    t.is(await store.stat('k'), undefined);
    await t.throwsAsync(store.get('k'), { name: 'Terminal', code: 'piece-missing' });
    await t.throwsAsync(collect(store.read('k')), { name: 'Terminal', code: 'piece-missing' });
    await store.delete('k');
    await t.throwsAsync(store.put('', randomBytes(1)), { code: 'bad-piece-key' });
  });

  holds('a deleted name is free again', async (t, store) => {
    await store.put('k', randomBytes(2 * MiB));
    await store.delete('k');
    t.is(await store.stat('k'), undefined);
    t.deepEqual(await store.sweep({ olderThanMs: 0, limit: 1000 }), NOTHING, 'its chunks went with it');
    const bytes = randomBytes(2 * MiB);
    await store.put('k', bytes);
    t.true(bytes.equals(await store.get('k')));
  });

  holds('a put whose source fails stores nothing and tells the failure', async (t, store) => {
    const source = async function* () {
      yield randomBytes(3 * MiB);
      throw new TypeError('torn');
    };
    const error = await t.throwsAsync(store.put('k', source()));
    t.is((error?.cause as Error | undefined)?.message, 'torn');
    t.is(await store.stat('k'), undefined);
    t.deepEqual(await store.sweep({ olderThanMs: 0, limit: 1000 }), NOTHING);
  });

  holds('an aborted put stores nothing and closes its source', async (t, store) => {
    const owner = new AbortController();
    let closed = false;
    const source = async function* () {
      try {
        for (;;) {
          yield randomBytes(MiB);
          owner.abort();
        }
      } finally {
        closed = true;
      }
    };
    await t.throwsAsync(store.put('k', source(), { signal: owner.signal }), { name: 'Cancelled' });
    t.true(closed);
    t.is(await store.stat('k'), undefined);
    t.deepEqual(await store.sweep({ olderThanMs: 0, limit: 1000 }), NOTHING);
  });

  holds('an aborted read ends', async (t, store) => {
    await store.put('k', randomBytes(4 * MiB));
    const owner = new AbortController();
    const reading = async () => {
      for await (const _ of store.read('k', { signal: owner.signal })) owner.abort();
    };
    await t.throwsAsync(reading(), { name: 'Cancelled' });
    await t.throwsAsync(store.get('k', { signal: owner.signal }), { name: 'Cancelled' });
  });

  holds('a read may be left early', async (t, store) => {
    await store.put('k', randomBytes(4 * MiB));
    for await (const chunk of store.read('k')) {
      t.true(chunk.length > 0);
      break;
    }
  });

  holds('stored pieces are listed in order, also from a position on', async (t, store) => {
    const before = Date.now() - 60_000;
    for (const key of ['1+s0', '1+s1', '1+v1+s0', '11+s0']) await store.put(key, randomBytes(10));
    await store.delete('1+s1');
    const listed = async (after?: number) => {
      const found: ListedPiece[] = [];
      for await (const piece of store.list(after === undefined ? {} : { after })) found.push(piece);
      return found;
    };
    const all = await listed();
    t.deepEqual(
      all.map(({ key }) => key),
      ['1+s0', '1+v1+s0', '11+s0'],
    );
    for (const { key, size, checksum, storedAt } of all) {
      t.deepEqual(await store.stat(key), { key, size, checksum });
      t.true(storedAt > before && storedAt < Date.now() + 60_000);
    }
    t.deepEqual(await listed(all[0]?.position), all.slice(1));
  });
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}

async function* frames(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
