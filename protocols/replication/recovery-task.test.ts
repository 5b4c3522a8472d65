import test from 'ava';
import { addressOf } from '../greenfield/address.ts';
import { publicKeyOf, signDigest } from '../greenfield/signature.ts';
import { formatRecoveryMessage, readRecoveryMessage } from './recovery-message.ts';
import { type RecoveryTask, recoveryTaskDigest, recoveryTaskDocument } from './recovery-task.ts';

const KEY = new Uint8Array(32).fill(0x11);
const SIGNER = addressOf(publicKeyOf(KEY));
const NOW = 1700000002_000;

/** As the fields of the Go type are: uint32 and int32 are numbers in amino JSON, 64-bit integers are texts. */
const TASK: RecoveryTask = {
  object_info: {
    owner: '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A',
    bucket_name: 'mybucket',
    object_name: 'a/b <c>.txt',
    id: '4711',
    local_virtual_group_id: 3,
    payload_size: 11,
    visibility: 2,
    content_type: 'text/plain',
    create_at: 1700000000,
    object_status: 1,
    checksums: ['1qgfIku/L3wiut29XUBzDrIM+ws9dOEMq2F4ghTKzrE='],
    updated_by: '',
    version: 2,
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
  ec_idx: -1,
  piece_size: 3,
};

function headerOf(task: RecoveryTask, more: object = {}): string {
  const signature = Buffer.from(signDigest(recoveryTaskDigest(task), KEY)).toString('base64');
  return formatRecoveryMessage({ ...task, signature, ...more });
}

test('the signed text is amino JSON of a type without a registered name', (t) => {
  t.is(
    recoveryTaskDocument(TASK),
    '{"ec_idx":-1,"object_info":{"bucket_name":"mybucket","checksums":["1qgfIku/L3wiut29XUBzDrIM+ws9dOEMq2F4ghTKzrE="],"content_type":"text/plain","create_at":"1700000000","id":"4711","local_virtual_group_id":3,"object_name":"a/b \\u003cc\\u003e.txt","object_status":1,"owner":"0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A","payload_size":"11","version":"2","visibility":2},"piece_size":"3","segment_idx":5,"storage_params":{"max_payload_size":"68719476736","versioned_params":{"max_segment_size":"16777216","min_charge_size":"1048576","redundant_data_chunk_num":4,"redundant_parity_chunk_num":2}},"task":{"create_time":"1700000001","update_time":"1700000002"}}',
  );
});

test('zero and unsigned fields are not in the signed text', (t) => {
  const { ec_idx: _, segment_idx: __, ...first } = TASK;
  const zero = { ...first, ec_idx: 0, segment_idx: 0 };
  t.is(recoveryTaskDocument(zero), recoveryTaskDocument(first));
  const more = { recovered: true, by_successor_sp: false, gvg_id: 7, signature: 'AA==' };
  const task = { ...first.task, task_priority: 128, timeout: 50, max_retry: 3 };
  t.is(recoveryTaskDocument({ ...first, ...more, task }), recoveryTaskDocument(first));
});

test('a task is read back as written, and its signer recovered', (t) => {
  const more = { task: { ...TASK.task, task_priority: 128 }, gvg_id: 7, recovered: false };
  t.deepEqual(readRecoveryMessage(headerOf(TASK, more), NOW), {
    job: { objectId: '4711', version: 2 },
    bucketName: 'mybucket',
    objectName: 'a/b <c>.txt',
    redundancy: 'EC',
    segmentIndex: 5,
    redundancyIndex: -1,
    signer: SIGNER,
  });
});

test('a change after signing gives another signer', (t) => {
  t.not(readRecoveryMessage(headerOf(TASK, { ec_idx: 2 }), NOW).signer, SIGNER);
  t.not(readRecoveryMessage(headerOf(TASK, { segment_idx: 4 }), NOW).signer, SIGNER);
});

test('a recovery task that cannot be read is 50005, a broken signature 50015, an old one 50038', (t) => {
  const codeOf = (header: string, now = NOW) => t.throws(() => readRecoveryMessage(header, now));
  for (const header of ['', 'zz', Buffer.from('[]').toString('hex'), headerOf(TASK, { segment_idx: -1 })]) {
    t.like(codeOf(header), { code: 'bad-recovery-task', gatewayCode: 50005 });
  }
  const signature = Buffer.alloc(65, 9).toString('base64');
  t.like(codeOf(headerOf(TASK, { signature })), { gatewayCode: 50015 });
  t.like(codeOf(headerOf(TASK), NOW + 1_001_000), { code: 'recovery-task-expired', gatewayCode: 50038 });
  t.notThrows(() => readRecoveryMessage(headerOf(TASK), NOW + 1_000_000));
});
