import test from 'ava';
import { ReedSolomon } from '../erasure/reed-solomon.ts';
import { blsAggregate } from '../greenfield/bls.ts';
import { fromHex, toHex } from '../greenfield/hex.ts';
import { checksum, integrityHash } from '../integrity/checksums.ts';
import { GO_RECEIVE_MESSAGES, GO_SEAL_AGGREGATES } from './go-receive-messages.fixture.ts';
import { readReceiveMessage } from './receive-message.ts';

/** The primary's operator account. */
const SIGNER = '0x2EaEDe9261322e9C3A8E53EA53B427454a26f145';
const PAYLOADS: Readonly<Record<string, string>> = {
  '531.0': 'hello world',
  '532.0': 'hello world',
  '532.1': 'hello worlds',
};

interface GoMessage {
  readonly task: { readonly update_time: number };
  readonly object_info: { readonly id: string; readonly version?: number };
}

const MESSAGES = GO_RECEIVE_MESSAGES.map(({ text, answer }) => {
  const json = JSON.parse(text) as GoMessage;
  const header = Buffer.from(text).toString('hex');
  const now = json.task.update_time * 1000;
  return { json, header, now, answer, task: readReceiveMessage(header, now) };
});

const nameOf = ({ job }: { job: { objectId: string; version: number } }) => `${job.objectId}.${job.version}`;

test('every recorded message of a Go SP is read, and all have one signer', (t) => {
  t.is(MESSAGES.length, 36);
  for (const { json, task } of MESSAGES) {
    t.is(task.signer, SIGNER);
    t.is(task.job.objectId, json.object_info.id);
    t.is(task.job.version, json.object_info.version ?? 0);
    t.is(task.bucketName, 'vec-9342');
    t.is(task.objectName, task.job.objectId === '531' ? 'a/b <c>&\u2028.txt' : 'del');
    t.is(task.gvgId, 9);
    t.is(task.redundancy, 'EC');
    t.is(task.payloadSize, (PAYLOADS[nameOf(task)] ?? '').length);
    t.deepEqual([task.dataChunks, task.parityChunks, task.maxSegmentSize], [4, 2, 16 * 1024 ** 2]);
  }
  const columns = (finished: boolean) =>
    MESSAGES.filter(({ task }) => task.finished === finished)
      .map(({ task }) => `${nameOf(task)}/${task.redundancyIndex}`)
      .sort();
  t.is(new Set(columns(false)).size, 18);
  t.deepEqual(columns(true), columns(false));
});

test('a message is valid until its expiry, whatever its content', (t) => {
  for (const { header, now } of MESSAGES) {
    t.notThrows(() => readReceiveMessage(header, now + 1_000_000));
    t.throws(() => readReceiveMessage(header, now + 1_001_000), { code: 'receive-task-expired' });
  }
});

test('a changed message no longer has that signer', (t) => {
  const changes: readonly (readonly [string, string])[] = [
    ['"payload_size":', '"payload_size":1'],
    ['"owner":"0x6', '"owner":"0x7'],
    ['"bucket_name":"v', '"bucket_name":"w'],
    ['"visibility":', '"visibility":1'],
    ['"content_type":"', '"content_type":"x'],
    ['"create_at":', '"create_at":1'],
    ['"max_payload_size":', '"max_payload_size":1'],
    ['"task":{"create_time":', '"task":{"create_time":1'],
  ];
  for (const { text } of GO_RECEIVE_MESSAGES) {
    for (const [from, to] of changes) {
      const header = Buffer.from(text.replace(from, to)).toString('hex');
      t.true(text.includes(from), from);
      t.not(readReceiveMessage(header, 0).signer, SIGNER, from);
    }
  }
});

test('the pieces announced by a Go SP equal those that we encode', (t) => {
  const code = new ReedSolomon(4, 2);
  for (const { task } of MESSAGES) {
    const pieces = code.encode(Buffer.from(PAYLOADS[nameOf(task)] ?? ''));
    const piece = pieces[task.redundancyIndex] ?? new Uint8Array();
    if (task.finished) {
      t.is(task.checksums.length, 7);
      t.is(task.checksums[task.redundancyIndex + 1], integrityHash([checksum(piece)]));
    } else {
      t.is(task.pieceSize, piece.length);
      t.is(task.pieceChecksum, checksum(piece));
    }
  }
});

test('the signatures of Go SPs aggregate to the one that the chain accepted', (t) => {
  for (const [name, aggregate] of Object.entries(GO_SEAL_AGGREGATES)) {
    const answers = MESSAGES.filter(({ task }) => task.finished && nameOf(task) === name)
      .sort((a, b) => a.task.redundancyIndex - b.task.redundancyIndex)
      .map(({ answer }) => fromHex(answer ?? '', 96));
    t.is(answers.length, 6);
    t.is(toHex(blsAggregate(answers)), aggregate);
  }
});
