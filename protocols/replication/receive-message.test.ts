import test from 'ava';
import { addressOf } from '../greenfield/address.ts';
import { publicKeyOf, signDigest } from '../greenfield/signature.ts';
import { formatReceiveMessage, type ReceiveMessage, readReceiveMessage } from './receive-message.ts';
import { type ReceiveTask, receiveTaskDigest } from './receive-task.ts';

const KEY = new Uint8Array(32).fill(0x11);
const SIGNER = addressOf(publicKeyOf(KEY));
const NOW = 1700000002_000;
const CHECKSUM = 'd6a81f224bbf2f7c22baddbd5d40730eb20cfb0b3d74e10cab61788214caceb1';
const CHECKSUMS = Array.from({ length: 7 }, (_, i) => `${i}`.repeat(64));
const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64');

const TASK: ReceiveTask = {
  object_info: {
    owner: SIGNER,
    bucket_name: 'mybucket',
    object_name: 'a/b "c".txt',
    id: '4711',
    payload_size: 11,
    create_at: 1700000000,
    redundancy_type: 1,
    checksums: CHECKSUMS.map(base64),
    tags: { tags: [{ key: 'k', value: 'v' }] },
    is_updating: true,
    version: 3,
  },
  storage_params: {
    versioned_params: {
      max_segment_size: 16777216,
      redundant_data_chunk_num: 4,
      redundant_parity_chunk_num: 2,
      min_charge_size: 1048576,
    },
    max_payload_size: 68719476736,
  },
  task: { create_time: 1700000001, update_time: 1700000002 },
  segment_idx: 5,
  redundancy_idx: 2,
  piece_size: 3,
  piece_checksum: base64(CHECKSUM),
};

function signed(task: ReceiveTask = TASK): ReceiveMessage {
  const signature = Buffer.from(signDigest(receiveTaskDigest(task), KEY)).toString('base64');
  return { ...task, signature, global_virtual_group_id: 9 };
}

function headerOf(json: string): string {
  return Buffer.from(json).toString('hex');
}

test('a task is read back as written, and its signer recovered', (t) => {
  t.deepEqual(readReceiveMessage(formatReceiveMessage(signed()), NOW), {
    job: { objectId: '4711', version: 3 },
    bucketName: 'mybucket',
    objectName: 'a/b "c".txt',
    payloadSize: 11,
    redundancy: 'REPLICA',
    checksums: CHECKSUMS,
    maxSegmentSize: 16777216,
    dataChunks: 4,
    parityChunks: 2,
    gvgId: 9,
    redundancyIndex: 2,
    segmentIndex: 5,
    pieceSize: 3,
    pieceChecksum: CHECKSUM,
    finished: false,
    signer: SIGNER,
  });
});

test('fields omitted by Go are zero', (t) => {
  const { segment_idx: _, redundancy_idx: __, piece_size: ___, piece_checksum: ____, ...last } = TASK;
  const object_info = { id: '1', bucket_name: 'b', object_name: 'o' };
  const task = readReceiveMessage(
    formatReceiveMessage({ ...signed({ ...last, object_info }), finished: true }),
    NOW,
  );
  t.like(task, { redundancy: 'EC', payloadSize: 0, checksums: [], segmentIndex: 0, redundancyIndex: 0 });
  t.like(task, { job: { objectId: '1', version: 0 }, pieceSize: 0, pieceChecksum: '', finished: true });
  t.is(task.signer, SIGNER);
});

test("parameters beyond JavaScript's safe integers are signed exactly", (t) => {
  const max = '18446744073709551615';
  const storage_params = { ...TASK.storage_params, discontinue_object_max: max };
  const message = signed({ ...TASK, storage_params });
  const json = JSON.stringify(message).replace(`"${max}"`, max);
  t.true(json.includes(`:${max}`));
  t.is(readReceiveMessage(headerOf(json), NOW).signer, SIGNER);
  const digits = signed({ ...TASK, object_info: { ...TASK.object_info, object_name: `"\\":${max}` } });
  t.is(readReceiveMessage(formatReceiveMessage(digits), NOW).objectName, `"\\":${max}`);
});

test('a change after signing gives another signer', (t) => {
  t.not(readReceiveMessage(formatReceiveMessage({ ...signed(), piece_size: 4 }), NOW).signer, SIGNER);
});

test('text that is not a task is 50005', (t) => {
  const { object_info: _, ...without } = signed();
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
  const headers = [
    '',
    'zz',
    'abc',
    headerOf('no json'),
    headerOf('[]'),
    headerOf(JSON.stringify(without)),
    headerOf(JSON.stringify({ ...signed(), object_info: { ...TASK.object_info, id: 1 } })),
    headerOf(JSON.stringify({ ...signed(), object_info: { ...TASK.object_info, payload_size: -1 } })),
    headerOf(JSON.stringify({ ...signed(), object_info: { ...TASK.object_info, redundancy_type: 2 } })),
    headerOf(JSON.stringify({ ...signed(), segment_idx: -1 })),
    headerOf(JSON.stringify(signed()).replace('"k"', deep)),
    headerOf(JSON.stringify(signed()).replace('"owner":', `"x":${deep},"owner":`)),
  ];
  for (const header of headers) {
    t.throws(() => readReceiveMessage(header, NOW), { code: 'bad-receive-task' }, header.slice(0, 60));
  }
  t.like(
    t.throws(() => readReceiveMessage('', NOW)),
    { gatewayCode: 50005 },
  );
});

test('a signature that no key can produce is 50015', (t) => {
  const signature = Buffer.alloc(65, 9).toString('base64');
  const error = t.throws(() => readReceiveMessage(formatReceiveMessage({ ...signed(), signature }), NOW));
  t.like(error, { gatewayCode: 50015 });
});

test('a task is valid for a thousand seconds, and so is one from the future', (t) => {
  const header = formatReceiveMessage(signed());
  t.notThrows(() => readReceiveMessage(header, NOW + 1_000_000));
  t.notThrows(() => readReceiveMessage(header, NOW - 1_000_000));
  t.like(
    t.throws(() => readReceiveMessage(header, NOW + 1_001_000)),
    { gatewayCode: 50038 },
  );
});

test('pieces of a bucket that is being migrated are refused', (t) => {
  const migrated = { ...signed(), bucket_migration: true };
  t.like(
    t.throws(() => readReceiveMessage(formatReceiveMessage(migrated), NOW)),
    { gatewayCode: 50008 },
  );
});

test('a header of any length is read in one pass', (t) => {
  const open = `"${'\\"'.repeat(500_000)}`;
  t.throws(() => readReceiveMessage(headerOf(open), NOW), { code: 'bad-receive-task' });
});
