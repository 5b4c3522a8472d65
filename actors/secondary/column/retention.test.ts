import test from 'ava';
import type { GlobalVirtualGroup, ObjectInfo, ObjectOnChain } from '#protocols/greenfield/types';
import type { ColumnRecord } from '../../ledger/column-record.ts';
import { type Retention, retentionOf } from './retention.ts';

const HOUR = 3_600_000;
const NOW = 1_700_000_000_000;
const US = 4;

const OBJECT: ObjectInfo = {
  owner: '0x',
  creator: '0x',
  bucketName: 'bucket',
  objectName: 'object',
  id: '4711',
  localVirtualGroupId: 0,
  payloadSize: 11,
  visibility: 'PRIVATE',
  contentType: '',
  createdAt: 0,
  status: 'CREATED',
  redundancy: 'EC',
  checksums: [],
  isUpdating: false,
  updatedAt: 0,
  updatedBy: '',
  version: 0,
};

function onChain(object: Partial<ObjectInfo>, secondarySpIds?: readonly number[]): ObjectOnChain {
  const gvg: GlobalVirtualGroup = {
    id: 1,
    familyId: 1,
    primarySpId: 1,
    secondarySpIds: secondarySpIds ?? [],
    storedSize: 0,
    totalDeposit: 0n,
  };
  return { object: { ...OBJECT, ...object }, ...(secondarySpIds && { gvg }) };
}

function updating(object: Partial<ObjectInfo>, version: number): ObjectOnChain {
  return {
    ...onChain({ status: 'SEALED', isUpdating: true, ...object }, [2, 3, 9, 5, 6, 7]),
    update: { updater: '0x', payloadSize: 1, contentType: '', checksums: [], updatedAt: 0, version },
  };
}

const RECEIVING: ColumnRecord = {
  job: { objectId: '4711', version: 0 },
  redundancyIndex: 2,
  from: 1,
  segmentCount: 1,
  touchedAt: NOW - HOUR,
};
const OLD = { touchedAt: NOW - 1000 * HOUR };
const SIGNED = { held: { pieceChecksums: [], integrityHash: '', checksums: [], at: 0 } };
const V1 = { job: { objectId: '4711', version: 1 } };

function retention(record: Partial<ColumnRecord>, chain: ObjectOnChain | undefined): Retention {
  const options = { spId: US, now: NOW, abandonedAfterMs: 48 * HOUR };
  return retentionOf({ ...RECEIVING, ...record }, chain, options);
}

test('a signed column is kept while the object waits for its seal, however old it is', (t) => {
  t.true(retention({ ...SIGNED, ...OLD }, onChain({})).keep);
  t.true(retention({ ...SIGNED, ...OLD, ...V1 }, updating({}, 1)).keep);
});

test('a column is kept when the object was sealed with us at its index', (t) => {
  t.true(retention({ ...SIGNED, ...OLD }, onChain({ status: 'SEALED' }, [2, 3, US, 5, 6, 7])).keep);
  t.true(
    retention({ ...SIGNED, ...OLD }, onChain({ status: 'SEALED' })).keep,
    'the chain did not say with whom',
  );
});

test('a column is deleted when the object was sealed without us, or with us at another index', (t) => {
  const without = onChain({ status: 'SEALED' }, [2, 3, 9, 5, 6, 7]);
  t.false(retention(SIGNED, without).keep);
  t.false(retention({}, without).keep);
  t.false(retention(SIGNED, onChain({ status: 'SEALED' }, [US, 2, 3, 5, 6, 7])).keep);
});

test('a column is deleted when the object is gone or discontinued', (t) => {
  t.false(retention(SIGNED, undefined).keep);
  t.false(retention({}, undefined).keep);
  t.false(retention(SIGNED, onChain({ status: 'DISCONTINUED' })).keep);
});

test('an unsigned column is kept for a while, but not forever', (t) => {
  t.true(retention({ touchedAt: NOW - 47 * HOUR }, onChain({})).keep);
  t.false(retention({ touchedAt: NOW - 49 * HOUR }, onChain({})).keep);
});

test('an old version is kept until the new one is sealed, and then for its readers', (t) => {
  const ours = { ...updating({}, 1), ...onChain({ status: 'SEALED' }, [2, 3, US, 5, 6, 7]) };
  t.true(retention(SIGNED, { ...ours, object: { ...ours.object, isUpdating: true } }).keep);
  const replaced = retention(SIGNED, onChain({ status: 'SEALED', version: 1 }, [2, 3, US, 5, 6, 7]));
  t.true(!replaced.keep && replaced.forReaders);
});

test('a column of a cancelled update is deleted', (t) => {
  t.false(retention({ ...SIGNED, ...V1 }, onChain({ status: 'SEALED' }, [2, 3, US, 5, 6, 7])).keep);
  t.false(retention({ ...SIGNED, ...V1 }, updating({}, 2)).keep);
});

const CHECKSUMS = Array.from({ length: 7 }, (_, i) => String(i).repeat(64));
const HELD = { held: { ...SIGNED.held, checksums: CHECKSUMS } };
const ANNOUNCED = { announcement: { announcedAt: 100, payloadSize: 11, checksums: CHECKSUMS } };
const announcedAgain = { checksums: CHECKSUMS.toReversed(), updatedAt: 105 };

test('a column of other content than was announced or sealed under its version is deleted', (t) => {
  const waiting = updating({}, 1);
  const again = {
    ...waiting,
    update: { ...announcedAgain, updater: '', payloadSize: 11, contentType: '', version: 1 },
  };
  t.false(retention({ ...HELD, ...ANNOUNCED, ...V1 }, again).keep);
  t.false(retention({ ...ANNOUNCED, ...V1 }, again).keep);
  const sealed = onChain({ status: 'SEALED', version: 1, ...announcedAgain }, [2, 3, US, 5, 6, 7]);
  t.false(retention({ ...HELD, ...ANNOUNCED, ...V1 }, sealed).keep);
});

test('a column is kept when the same bytes were announced again and sealed', (t) => {
  const sealed = onChain({ status: 'SEALED', version: 1, checksums: CHECKSUMS, updatedAt: 105 }, [
    2,
    3,
    US,
    5,
    6,
    7,
  ]);
  t.true(retention({ ...HELD, ...ANNOUNCED, ...V1 }, sealed).keep);
  t.true(
    retention({ ...HELD, ...ANNOUNCED, ...V1 }, updating({}, 1)).keep,
    'a delegated update has no checksums yet',
  );
});

test('a deletion that has started is finished', (t) => {
  const discarding = { because: 'it was sealed without us', at: 0 };
  t.deepEqual(retention({ ...SIGNED, discarding }, onChain({})), {
    keep: false,
    because: discarding.because,
    forReaders: false,
  });
});
