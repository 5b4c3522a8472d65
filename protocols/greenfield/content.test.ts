import test from 'ava';
import { awaitedContent, isSameAnnouncement, versionOnChain } from './content.ts';
import type { ObjectInfo, ObjectOnChain, PendingUpdate } from './types.ts';

const CHECKSUMS = Array.from({ length: 7 }, (_, i) => String(i).repeat(64));
const OTHERS = CHECKSUMS.toReversed();

const created: ObjectInfo = {
  owner: '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A',
  creator: '',
  bucketName: 'bucket',
  objectName: 'object',
  id: '7',
  localVirtualGroupId: 0,
  payloadSize: 11,
  visibility: 'PRIVATE',
  contentType: 'text/plain',
  createdAt: 1_700_000_000,
  status: 'CREATED',
  redundancy: 'EC',
  checksums: CHECKSUMS,
  isUpdating: false,
  updatedAt: 0,
  updatedBy: '',
  version: 0,
};
const sealed: ObjectInfo = { ...created, status: 'SEALED' };
const update: PendingUpdate = {
  updater: created.owner,
  payloadSize: 12,
  contentType: 'text/html',
  checksums: OTHERS,
  updatedAt: 1_700_000_100,
  version: 1,
};
const updating: ObjectOnChain = { object: { ...sealed, isUpdating: true }, update };
const updated: ObjectOnChain = {
  object: { ...sealed, payloadSize: 12, checksums: OTHERS, updatedAt: update.updatedAt, version: 1 },
};

test('a new object waits for its payload since its creation', (t) => {
  const found = versionOnChain({ object: created }, 0);
  t.like(found, { kind: 'waiting', content: { announcedAt: created.createdAt, checksums: CHECKSUMS } });
});

test('while an update waits, the sealed version is what readers get', (t) => {
  t.like(versionOnChain(updating, 0), { kind: 'sealed', content: { payloadSize: 11, version: 0 } });
  t.like(versionOnChain(updating, 1), {
    kind: 'waiting',
    content: { payloadSize: 12, announcedAt: update.updatedAt, checksums: OTHERS, contentType: 'text/html' },
  });
  t.is(awaitedContent(updating).version, 1);
});

test('the seal of an update replaces the version before it', (t) => {
  t.like(versionOnChain(updated, 0), { kind: 'replaced', by: { version: 1 } });
  t.like(versionOnChain(updated, 1), { kind: 'sealed', content: { announcedAt: update.updatedAt } });
});

test('a version that was never announced is not treated as one that is gone', (t) => {
  t.deepEqual(versionOnChain({ object: sealed }, 1), { kind: 'unannounced' });
  t.deepEqual(versionOnChain(updating, 2), { kind: 'unannounced' });
});

test('a deleted or discontinued object is gone with all its versions', (t) => {
  t.like(versionOnChain(undefined, 0), { kind: 'gone' });
  const discontinued: ObjectOnChain = { ...updating, object: { ...sealed, status: 'DISCONTINUED' } };
  t.like(versionOnChain(discontinued, 0), { kind: 'gone' });
  t.like(versionOnChain(discontinued, 1), { kind: 'gone' });
});

test('an update cancelled and announced again has the same version but is another announcement', (t) => {
  const first = awaitedContent(updating);
  const again = awaitedContent({ ...updating, update: { ...update, checksums: CHECKSUMS } });
  const later = awaitedContent({ ...updating, update: { ...update, updatedAt: update.updatedAt + 5 } });
  t.is(again.version, first.version);
  t.false(isSameAnnouncement(first, again));
  t.false(isSameAnnouncement(first, later));
  t.true(isSameAnnouncement(first, awaitedContent(updating)));
});

test('checksums added by the seal of a delegated upload do not make it another announcement', (t) => {
  const delegated = awaitedContent({ ...updating, update: { ...update, checksums: [] } });
  const afterSeal = versionOnChain(updated, 1);
  t.true(afterSeal.kind === 'sealed' && isSameAnnouncement(delegated, afterSeal.content));
});
