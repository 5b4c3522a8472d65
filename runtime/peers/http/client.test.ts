import test from 'ava';
import { Cancelled, Retryable, Terminal } from '#protocols/errors';
import { checksum } from '#protocols/integrity/checksums';
import { INTEGRITY_SIGNATURE_HEADER } from '#protocols/replication/receive-message';
import {
  admittedOffer,
  BLS_SIGNATURE,
  foreignGateway,
  httpClient,
  onChain,
  refuse,
} from '../testing/http.ts';
import { makeSample, operatorKey, type Sample } from '../testing/peers.ts';

/** SP 3 holds place 1 of the group. */
const TO = 3;
const INDEX = 1;

function piece(sample: Sample, segmentIndex: number): { segmentIndex: number; bytes: Uint8Array } {
  return { segmentIndex, bytes: sample.pieces[segmentIndex] ?? new Uint8Array() };
}

async function start(t: Parameters<typeof foreignGateway>[0], prefix = '') {
  const sample = makeSample(2_500, 1_000);
  const gateway = await foreignGateway(t, TO, prefix);
  const client = httpClient(t, { [TO]: gateway }, { objects: [onChain(sample)] });
  return { sample, gateway, client, offer: admittedOffer(sample, INDEX) };
}

test('each piece is a signed PUT, and the last task brings the BLS signature', async (t) => {
  const { sample, gateway, client, offer } = await start(t, '/prefix');
  const session = await client.open(offer, {});
  t.is(session.firstMissing, 0);
  for (const index of sample.pieces.keys()) await session.send(piece(sample, index));
  t.deepEqual(await session.done(sample.checksums), {
    redundancyIndex: INDEX,
    spId: TO,
    gvgId: offer.gvgId,
    integrityHash: sample.checksums[INDEX + 1] ?? '',
    approvalSignature: '',
    blsSignature: BLS_SIGNATURE,
  });
  session.close();

  const { job, bucketName, objectName, payloadSize } = sample.ask;
  t.is(gateway.received.length, sample.pieces.length + 1);
  for (const [segmentIndex, { path, task, body }] of gateway.received.entries()) {
    t.is(path, '/prefix/greenfield/receiver/v1/replicate-piece');
    t.like(task, { job, bucketName, objectName, payloadSize, gvgId: offer.gvgId, redundancyIndex: INDEX });
    t.like(task, { maxSegmentSize: 1000, dataChunks: 4, parityChunks: 2, redundancy: 'EC' });
    t.deepEqual(task.checksums, sample.checksums);
    t.is(task.signer, operatorKey(1).address);
    const sent = sample.pieces[segmentIndex];
    t.is(task.finished, sent === undefined);
    t.is(body.length, sent?.length ?? 0);
    if (!sent) continue;
    t.like(task, { segmentIndex, pieceSize: sent.length, pieceChecksum: checksum(sent) });
    t.is(checksum(body), checksum(sent));
  }
});

test('pending content of an update is described as today’s SPs do', async (t) => {
  const { sample, gateway } = await start(t);
  const { object } = onChain(sample);
  const old = { ...object, status: 'SEALED', isUpdating: true, payloadSize: 7, checksums: [] } as const;
  const { payloadSize, contentType, checksums } = object;
  const update = {
    updater: object.owner,
    payloadSize,
    contentType,
    checksums,
    updatedAt: 1_700_000_009,
    version: 1,
  };
  const client = httpClient(t, { [TO]: gateway }, { objects: [{ object: old, update }] });
  const offer = { ...admittedOffer(sample, INDEX), job: { ...sample.ask.job, version: 1 } };
  const session = await client.open(offer, {});
  await session.send(piece(sample, 0));
  t.like(gateway.received[0]?.task, { job: offer.job, payloadSize, checksums });
  const unknown = { ...offer, job: { ...offer.job, version: 2 } };
  await t.throwsAsync(client.open(unknown, {}), { instanceOf: Retryable, code: 'object-unknown' });
});

test('the last task of a delegated upload carries the checksums', async (t) => {
  const { sample, gateway } = await start(t);
  const client = httpClient(t, { [TO]: gateway }, { objects: [onChain(sample, { checksums: [] })] });
  const session = await client.open({ ...admittedOffer(sample, INDEX), checksums: [] }, {});
  await session.send(piece(sample, 0));
  await session.done(sample.checksums);
  t.deepEqual(
    gateway.received.map(({ task }) => task.checksums.length),
    [0, 7],
  );
});

test('retryable errors are retried up to three times, terminal ones never', async (t) => {
  const { sample, gateway, client, offer } = await start(t);
  const session = await client.open(offer, {});
  const answers = [
    [500, 85101],
    [406, 80002],
    [200, 0],
  ];
  gateway.answer = (_, response) => {
    const [status = 0, code = 0] = answers.shift() ?? [];
    return status === 200 ? undefined : refuse(response, status, code);
  };
  await session.send(piece(sample, 0));
  t.is(gateway.received.length, 3);

  for (const [status, code, kind, tries] of [
    [404, 50025, Retryable, 3],
    [403, 80003, Retryable, 3],
    [502, 0, Retryable, 3],
    [406, 80004, Terminal, 1],
    [406, 50041, Terminal, 1],
    [400, 50042, Terminal, 1],
  ] as const) {
    gateway.received.length = 0;
    gateway.answer = (_, response) => refuse(response, status, code);
    const expected = {
      instanceOf: kind,
      message: new RegExp(`answered ${status}: no & never \\(${code}\\)`),
    };
    await t.throwsAsync(session.send(piece(sample, 0)), { ...expected, code: 'offer-refused' });
    t.is(gateway.received.length, tries, `${code}`);
    await t.throwsAsync(session.done(sample.checksums), { ...expected, code: 'receipt-refused' });
  }
});

test('an answer that is not a BLS signature is not a receipt', async (t) => {
  const { sample, gateway, client, offer } = await start(t);
  const session = await client.open(offer, {});
  for (const signature of [undefined, '', 'zz', BLS_SIGNATURE.slice(2)]) {
    gateway.answer = (_, response) => {
      if (signature !== undefined) response.setHeader(INTEGRITY_SIGNATURE_HEADER, signature);
      response.end();
      return true;
    };
    await t.throwsAsync(session.done(sample.checksums), { instanceOf: Terminal, code: 'receipt-refused' });
  }
});

test('a secondary that does not answer is given up in time', async (t) => {
  const { sample, gateway } = await start(t);
  const options = { objects: [onChain(sample)], times: { request: 50, pause: 1 } };
  const client = httpClient(t, { [TO]: gateway }, options);
  gateway.answer = () => false;
  const session = await client.open(admittedOffer(sample, INDEX), {});
  const silent = { instanceOf: Retryable, code: 'peer-unreachable' };
  await t.throwsAsync(session.send(piece(sample, 0)), { ...silent, message: /no answer within 50 ms/ });
  await gateway.close();
  await t.throwsAsync(session.send(piece(sample, 0)), { ...silent, message: /ECONNREFUSED/ });
});

test('a request ends with its signal, with its session, and with the client', async (t) => {
  const { sample, gateway, client, offer } = await start(t);
  const waiting = async (
    stop: (session: Awaited<ReturnType<typeof client.open>>) => void,
    signal?: AbortSignal,
  ) => {
    const session = await client.open(offer, {});
    gateway.answer = () => {
      stop(session);
      return false;
    };
    await t.throwsAsync(session.send(piece(sample, 0), signal ? { signal } : {}), { instanceOf: Cancelled });
  };
  const stop = new AbortController();
  await waiting(() => stop.abort(), stop.signal);
  await waiting((session) => session.close());
  await waiting(() => client.close());
});

test('a new session continues where the last one ended, unless the secondary reported bad pieces', async (t) => {
  const { sample, gateway, client, offer } = await start(t);
  const first = await client.open(offer, {});
  await first.send(piece(sample, 0));
  await first.send(piece(sample, 1));
  first.close();
  const second = await client.open({ ...offer, gvgId: offer.gvgId + 1 }, {});
  t.is(second.firstMissing, 2);
  gateway.answer = (_, response) => refuse(response, 403, 80003);
  await t.throwsAsync(second.done(sample.checksums));
  t.is((await client.open(offer, {})).firstMissing, 0);
});

test('a secondary whose endpoint is not a URL cannot be reached', async (t) => {
  const sample = makeSample(2_500, 1_000);
  const client = httpClient(t, { [TO]: { endpoint: 'sp3' } }, { objects: [onChain(sample)] });
  const session = await client.open(admittedOffer(sample, INDEX), {});
  await t.throwsAsync(session.send(piece(sample, 0)), { code: 'peer-unreachable', message: /not the URL/ });
});
