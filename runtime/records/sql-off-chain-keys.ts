import type { Transaction } from 'kysely';
import type { Hex } from '#protocols/greenfield/types';
import type { KeyHolder, OffChainKey, OffChainKeys } from './off-chain-keys.ts';
import type { OffChainKeyRow, Schema } from './schema.ts';
import type { SqlDatabase } from './sql-database.ts';

const TABLE = 'off_chain_auth_key_v2';
const KEY = ['user_address', 'domain', 'public_key'] as const;
/** Keys of an account in one application; a further key replaces the oldest of them. */
const MAX_PER_HOLDER = 64;
/** Keys of an account; a further key replaces the oldest of them. */
const MAX_PER_ACCOUNT = 256;
/** Limits the space that strangers can occupy, to about 30 MB, and the time that counting takes. */
const MAX_KEYS = 100_000;
/** Maximum number of expired keys that one registration removes, so that none takes long. */
const MAX_REMOVED = 1_000;

/** Off-chain keys in any SQL database. */
export class SqlOffChainKeys implements OffChainKeys {
  readonly #database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  register(key: OffChainKey): Promise<void> {
    return this.#database.use((db) =>
      db.transaction().execute(async (sql) => {
        await removeExpired(sql, key.registeredAt);
        await write(sql, rowOf(key));
        await removeBeyond(sql, holderColumns(key), MAX_PER_HOLDER);
        await removeBeyond(sql, { user_address: key.account }, MAX_PER_ACCOUNT);
        await makeRoom(sql);
      }),
    );
  }

  find(holder: KeyHolder, publicKey: Hex): Promise<OffChainKey | undefined> {
    return this.#database.use(async (db) => {
      const row = await db
        .selectFrom(TABLE)
        .selectAll()
        .where((eb) => eb.and({ ...holderColumns(holder), public_key: publicKey }))
        .executeTakeFirst();
      return row && keyOf(row);
    });
  }

  list(holder: KeyHolder): Promise<readonly OffChainKey[]> {
    return this.#database.use(async (db) => {
      const rows = await db
        .selectFrom(TABLE)
        .selectAll()
        .where((eb) => eb.and(holderColumns(holder)))
        .orderBy('created_time')
        .orderBy('public_key')
        .execute();
      return rows.map(keyOf);
    });
  }

  async remove(holder: KeyHolder, publicKeys: readonly Hex[]): Promise<void> {
    if (publicKeys.length === 0) return;
    await this.#database.use((db) =>
      db
        .deleteFrom(TABLE)
        .where((eb) => eb.and([eb.and(holderColumns(holder)), eb('public_key', 'in', publicKeys)]))
        .execute(),
    );
  }
}

async function write(sql: Transaction<Schema>, row: OffChainKeyRow): Promise<void> {
  await sql
    .insertInto(TABLE)
    .values(row)
    .onConflict((on) => on.columns(KEY).doUpdateSet({ expiry_date: row.expiry_date }))
    .execute();
}

async function removeExpired(sql: Transaction<Schema>, now: number): Promise<void> {
  await sql
    .deleteFrom(TABLE)
    .where((eb) =>
      eb(
        eb.refTuple(...KEY),
        'in',
        eb
          .selectFrom(TABLE)
          .select(KEY)
          .where('expiry_date', '<=', now)
          .orderBy('expiry_date')
          .limit(MAX_REMOVED)
          .$asTuple(...KEY),
      ),
    )
    .execute();
}

/** Removes the oldest key above a limit. Since one key was added, at most one is too many. */
async function removeBeyond(
  sql: Transaction<Schema>,
  whose: Partial<Pick<OffChainKeyRow, 'user_address' | 'domain'>>,
  limit: number,
): Promise<void> {
  const { count } = await sql
    .selectFrom(TABLE)
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where((eb) => eb.and(whose))
    .executeTakeFirstOrThrow();
  if (Number(count) > limit) await removeOldest(sql, whose);
}

/** Removes the oldest key of the account with the most keys; of several such accounts, the one with the oldest key. */
async function makeRoom(sql: Transaction<Schema>): Promise<void> {
  const { count } = await sql
    .selectFrom(TABLE)
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  if (Number(count) <= MAX_KEYS) return;
  const most = await sql
    .selectFrom(TABLE)
    .select('user_address')
    .groupBy('user_address')
    .orderBy(({ fn }) => fn.countAll(), 'desc')
    .orderBy(({ fn }) => fn.min('created_time'))
    .limit(1)
    .executeTakeFirstOrThrow();
  await removeOldest(sql, most);
}

async function removeOldest(
  sql: Transaction<Schema>,
  whose: Partial<Pick<OffChainKeyRow, 'user_address' | 'domain'>>,
): Promise<void> {
  const oldest = await sql
    .selectFrom(TABLE)
    .select(KEY)
    .where((eb) => eb.and(whose))
    .orderBy('created_time')
    .limit(1)
    .executeTakeFirstOrThrow();
  await sql
    .deleteFrom(TABLE)
    .where((eb) => eb.and({ ...oldest }))
    .execute();
}

function holderColumns({ account, domain }: KeyHolder): Pick<OffChainKeyRow, 'user_address' | 'domain'> {
  return { user_address: account, domain };
}

function rowOf(key: OffChainKey): OffChainKeyRow {
  return {
    ...holderColumns(key),
    public_key: key.publicKey,
    expiry_date: key.expiresAt,
    created_time: key.registeredAt,
  };
}

function keyOf(row: OffChainKeyRow): OffChainKey {
  return {
    account: row.user_address,
    domain: row.domain,
    publicKey: row.public_key,
    expiresAt: row.expiry_date,
    registeredAt: row.created_time,
  };
}
