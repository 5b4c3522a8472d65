import {
  type ColumnDefinitionBuilder,
  type CreateTableBuilder,
  type Kysely,
  type Migration,
  Migrator,
  type SchemaModule,
} from 'kysely';
import type { Hex, Redundancy } from '#protocols/greenfield/types';
import type { JobStateName } from '#protocols/job/states';

/**
 * The tables of the SQL DB, the same for every database: ids of objects as text (the chain's Uint has 256 bits),
 * times as unix ms, hashes and signatures as lower-case hex.
 */
export interface Schema {
  job_context: JobContextRow;
  object: ObjectRow;
  secondary: SecondaryRow;
  integrity_meta: IntegrityMetaRow;
  piece_hash: PieceHashRow;
  projection: ProjectionRow;
  off_chain_auth_key_v2: OffChainKeyRow;
  operator_action: OperatorActionRow;
}

/** The first columns of the key of each table of the projection. */
export interface JobKey {
  object_id: string;
  version: number;
}

/** The state of a job. */
export interface JobContextRow extends JobKey {
  state: JobStateName;
  created_at: number;
  changed_at: number;
  deadline_at: number;
  upload_attempt: number;
  gvg_id: number | null;
  failure_code: string | null;
  failure_message: string | null;
  failure_advice: string | null;
  next_try_at: number | null;
  seal_transaction: string | null;
  reject_transaction: string | null;
  discontinued_because: string | null;
}

/** The object as it was on chain when the job was created; `created_at` is unix ms here too. */
export interface ObjectRow extends JobKey {
  bucket_name: string;
  object_name: string;
  owner: string;
  content_type: string;
  payload_size: number;
  redundancy: Redundancy;
  family_id: number;
  primary_sp_id: number;
  created_at: number;
}

/** A secondary of the chosen GVG, and its receipt once it has arrived. */
export interface SecondaryRow extends JobKey {
  redundancy_index: number;
  sp_id: number;
  completed_at: number | null;
  integrity_hash: Hex | null;
  approval_signature: Hex | null;
  bls_signature: Hex | null;
}

/** The integrity hash of stored data; redundancy index −1 is the payload that we store as primary. */
export interface IntegrityMetaRow extends JobKey {
  redundancy_index: number;
  integrity_hash: Hex;
}

/** The checksums from which an integrity hash is computed, one for each segment. */
export interface PieceHashRow extends JobKey {
  redundancy_index: number;
  segment_index: number;
  checksum: Hex;
}

/** The progress of the projection. */
export interface ProjectionRow {
  name: string;
  position: number;
  /** Null in a database from before journals had an identity, until it follows one. */
  journal_id: string | null;
}

/** An ed25519 key of an account. Names as in today's SPs (protocols/job/README.md#tables-of-todays-provider). */
export interface OffChainKeyRow {
  user_address: string;
  domain: string;
  public_key: Hex;
  expiry_date: number;
  created_time: number;
}

/** An action of an operator; `outcome` is null until it has ended. */
export interface OperatorActionRow {
  id: string;
  at: number;
  who: string;
  action: string;
  target: string;
  reason: string | null;
  outcome: string | null;
  /** 0 or 1. */
  is_done: number;
}

/** Redundancy index of the primary in `integrity_meta` and `piece_hash`. */
export const PRIMARY = -1;

/** Migrates a database to this schema; safe to call on every start. */
export async function migrate(db: Kysely<Schema>): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => MIGRATIONS } });
  const { error } = await migrator.migrateToLatest();
  if (error) throw error;
}

/** Applied in the order of their names. A released migration is never changed. */
const MIGRATIONS: Record<string, Migration> = {
  '0001-jobs': {
    async up({ schema }: Kysely<unknown>): Promise<void> {
      await jobTable(schema, 'job_context')
        .addColumn('state', 'text', required)
        .addColumn('created_at', 'bigint', required)
        .addColumn('changed_at', 'bigint', required)
        .addColumn('deadline_at', 'bigint', required)
        .addColumn('upload_attempt', 'integer', required)
        .addColumn('gvg_id', 'bigint')
        .addColumn('failure_code', 'text')
        .addColumn('failure_message', 'text')
        .addColumn('failure_advice', 'text')
        .addColumn('next_try_at', 'bigint')
        .addColumn('seal_transaction', 'text')
        .addColumn('reject_transaction', 'text')
        .addColumn('discontinued_because', 'text')
        .execute();
      await schema
        .createIndex('job_context_newest')
        .on('job_context')
        .columns(['created_at', 'object_id', 'version'])
        .execute();
      await schema
        .createIndex('job_context_state')
        .on('job_context')
        .columns(['state', 'created_at'])
        .execute();
      await jobTable(schema, 'object')
        .addColumn('bucket_name', 'text', required)
        .addColumn('object_name', 'text', required)
        .addColumn('owner', 'text', required)
        .addColumn('content_type', 'text', required)
        .addColumn('payload_size', 'bigint', required)
        .addColumn('redundancy', 'text', required)
        .addColumn('family_id', 'bigint', required)
        .addColumn('primary_sp_id', 'bigint', required)
        .addColumn('created_at', 'bigint', required)
        .execute();
      await schema.createIndex('object_name').on('object').columns(['bucket_name', 'object_name']).execute();
      await jobTable(schema, 'secondary', 'redundancy_index')
        .addColumn('sp_id', 'bigint', required)
        .addColumn('completed_at', 'bigint')
        .addColumn('integrity_hash', 'text')
        .addColumn('approval_signature', 'text')
        .addColumn('bls_signature', 'text')
        .execute();
      await jobTable(schema, 'integrity_meta', 'redundancy_index')
        .addColumn('integrity_hash', 'text', required)
        .execute();
      await jobTable(schema, 'piece_hash', 'redundancy_index', 'segment_index')
        .addColumn('checksum', 'text', required)
        .execute();
      await schema
        .createTable('projection')
        .addColumn('name', 'text', (column) => column.primaryKey())
        .addColumn('position', 'bigint', required)
        .execute();
    },
  },
  '0002-off-chain-keys': {
    async up({ schema }: Kysely<unknown>): Promise<void> {
      const table: keyof Schema = 'off_chain_auth_key_v2';
      await schema
        .createTable(table)
        .addColumn('user_address', 'text', required)
        .addColumn('domain', 'text', required)
        .addColumn('public_key', 'text', required)
        .addColumn('expiry_date', 'bigint', required)
        .addColumn('created_time', 'bigint', required)
        .addPrimaryKeyConstraint(`${table}_key`, ['user_address', 'domain', 'public_key'])
        .execute();
      await schema.createIndex(`${table}_expiry`).on(table).column('expiry_date').execute();
    },
  },
  '0003-journal-identity': {
    async up({ schema }: Kysely<unknown>): Promise<void> {
      await schema.alterTable('projection').addColumn('journal_id', 'text').execute();
    },
  },
  '0004-operators': {
    async up({ schema }: Kysely<unknown>): Promise<void> {
      const table: keyof Schema = 'operator_action';
      await schema
        .createTable(table)
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('at', 'bigint', required)
        .addColumn('who', 'text', required)
        .addColumn('action', 'text', required)
        .addColumn('target', 'text', required)
        .addColumn('reason', 'text')
        .addColumn('outcome', 'text')
        .addColumn('is_done', 'integer', required)
        .execute();
      await schema.createIndex(`${table}_at`).on(table).column('at').execute();
      await schema
        .createIndex('job_context_failure')
        .on('job_context')
        .columns(['failure_code', 'created_at'])
        .execute();
    },
  },
};

/** A table keyed by the job and the given indices. */
function jobTable(schema: SchemaModule, name: keyof Schema, ...indices: string[]) {
  let table: CreateTableBuilder<string, string> = schema
    .createTable(name)
    .addColumn('object_id', 'text', required)
    .addColumn('version', 'integer', required);
  for (const index of indices) table = table.addColumn(index, 'integer', required);
  return table.addPrimaryKeyConstraint(`${name}_key`, ['object_id', 'version', ...indices]);
}

function required(column: ColumnDefinitionBuilder): ColumnDefinitionBuilder {
  return column.notNull();
}
