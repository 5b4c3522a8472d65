import test, { type ExecutionContext } from 'ava';
import type { ReceptionMessage } from '#actors/messages';
import { Cancelled, Retryable, Terminal } from '#protocols/errors';
import { signDigest } from '#protocols/greenfield/signature';
import type { Receipt } from '#protocols/job/context';
import { GO_RECEIVE_MESSAGES } from '#protocols/replication/go-receive-messages.fixture';
import { formatReceiveMessage, type ReceiveMessage } from '#protocols/replication/receive-message';
import { receiveTaskDigest } from '#protocols/replication/receive-task';
import { createActorSystem } from '#runtime/actors/system';
import { gate } from '#runtime/actors/testing';
import type { Behaviour } from '#runtime/actors/types';
import { silentLogger } from '#runtime/telemetry/logger';
import type { GatewayLimits } from '../limits.ts';
import { signer } from '../testing/chain.ts';
import { errorOf, testGateway } from '../testing/gateway.ts';

/** cluster/test/receive-tasks.test.ts covers the order of the checks against the chain, and what is stored. */

const PRIMARY = signer(0x51);
const BODY = Buffer.from('0123');
const RECEIPT: Receipt = {
  redundancyIndex: 1,
  spId: 1,
  gvgId: 9,
  integrityHash: '12'.repeat(32),
  approvalSignature: '34'.repeat(65),
  blsSignature: '56'.repeat(96),
};

interface Secondary {
  readonly bodies: Buffer[];
  readonly messages: ReceptionMessage[];
  /** Runs before a body is read; an error that it throws is the answer. */
  before: () => void | Promise<void>;
}

function start(t: ExecutionContext, limits: Partial<GatewayLimits> = {}) {
  const end = { retryable: 'resume', terminal: 'resume', cancelled: 'resume' } as const;
  const row = {
    ...end,
    restarts: { limit: 0, withinMs: 1, beyond: 'stop' },
    backoff: { minMs: 0, maxMs: 0 },
  } as const;
  const system = createActorSystem({ name: 'test', supervision: { receivers: row }, log: silentLogger });
  t.teardown(() => system.stop());
  const secondary: Secondary = { bodies: [], messages: [], before: () => {} };
  const work = async (message: ReceptionMessage) => {
    await secondary.before();
    if (message.type === 'finish-column') return message.reply.resolve(RECEIPT);
    const chunks: Uint8Array[] = [];
    for await (const chunk of message.body) chunks.push(chunk);
    secondary.bodies.push(Buffer.concat(chunks));
    message.reply.resolve();
  };
  const behaviour: Behaviour<ReceptionMessage | { readonly type: 'settled' }, undefined> = {
    kind: 'receivers',
    start: () => undefined,
    receive: (_, message, ctx) => {
      if (message.type === 'settled') return undefined;
      secondary.messages.push(message);
      ctx.pipe(
        () => work(message).catch(message.reply.reject),
        () => ({ type: 'settled' }),
      );
      return undefined;
    },
  };
  return { ...testGateway(t, { receivers: system.spawn('receivers', behaviour), limits }), secondary };
}

function header(over: Partial<ReceiveMessage> = {}, now = Date.now(), by = PRIMARY): string {
  const time = Math.floor(now / 1000);
  const task = {
    object_info: { id: '4711', bucket_name: 'photos', object_name: 'a.jpg', payload_size: 10 },
    storage_params: { versioned_params: { max_segment_size: 4 } },
    task: { create_time: time, update_time: time },
    redundancy_idx: 1,
    piece_size: BODY.length,
    piece_checksum: 'AAAA',
    ...over,
  };
  const signature = Buffer.from(signDigest(receiveTaskDigest(task), by.key)).toString('base64');
  return formatReceiveMessage({ global_virtual_group_id: 9, ...task, signature, ...over });
}

function put(message: string | undefined, body: Buffer | ReadableStream = BODY): Request {
  return new Request('http://sp1.localhost/greenfield/receiver/v1/replicate-piece', {
    method: 'PUT',
    headers: message === undefined ? {} : { 'X-Gnfd-Receive-Msg': message },
    body,
    duplex: 'half',
  });
}

test('a piece goes to the receivers with its task and its signer', async (t) => {
  const { app, secondary, log } = start(t);
  const response = await app.request(put(header()));
  t.is(response.status, 200);
  t.is(await response.text(), '');
  t.deepEqual(secondary.bodies, [BODY]);
  const task = { signer: PRIMARY.address, gvgId: 9, redundancyIndex: 1, segmentIndex: 0, pieceSize: 4 };
  t.like(secondary.messages[0], { type: 'receive-piece', task });
  t.like(log.lines.at(-1), { status: 200, bytes: 4 });
});

test('the end of a column gets the BLS signature', async (t) => {
  const { app, secondary } = start(t);
  const response = await app.request(put(header({ finished: true, piece_size: 0 }), Buffer.alloc(0)));
  t.is(response.status, 200);
  t.is(response.headers.get('X-Gnfd-Integrity-Hash-Signature'), RECEIPT.blsSignature);
  t.is(response.headers.get('X-Gnfd-Integrity-Hash'), RECEIPT.integrityHash);
  t.is(secondary.messages[0]?.type, 'finish-column');
});

test('an unreadable, unsigned or expired task is refused before the receivers are called', async (t) => {
  const { app, secondary } = start(t);
  const answer = async (message: string | undefined) => {
    const { status, code } = await errorOf(await app.request(put(message)));
    return [status, code];
  };
  t.deepEqual(await answer(undefined), [400, 50005]);
  t.deepEqual(await answer('7b7d'), [400, 50005]);
  t.deepEqual(await answer(header({ signature: 'AAAA' })), [406, 50015]);
  t.deepEqual(await answer(header({}, Date.now() - 1_002_000)), [400, 50038]);
  t.is(secondary.messages.length, 0);
});

test('a body of another size than the task says fails the checksum', async (t) => {
  const { app } = start(t);
  for (const body of ['012', '01234']) {
    const stream = new Blob([body]).stream();
    const { status, code } = await errorOf(await app.request(put(header(), stream)));
    t.deepEqual([status, code], [406, 80004], body);
  }
});

test('a body that ends early is 50013', async (t) => {
  const { app } = start(t);
  const broken = new ReadableStream({ pull: (controller) => controller.error(new Error('gone')) });
  const { status, code } = await errorOf(await app.request(put(header(), broken)));
  t.deepEqual([status, code], [400, 50013]);
});

test('the errors of the receivers become their codes, and no internal detail leaks', async (t) => {
  const { app, secondary } = start(t);
  const cases: [Error, number, number][] = [
    [new Retryable({ code: 'task-repeated', message: 'm', gatewayCode: 80002 }), 406, 80002],
    [new Terminal({ code: 'not-primary', message: 'm', gatewayCode: 50041 }), 406, 50041],
    [new Retryable({ code: 'piece-store-unavailable', message: 'nats://10.0.0.1' }), 500, 85101],
    [new Retryable({ code: 'journal-unavailable', message: '/etc/secret' }), 500, 85201],
    [new Retryable({ code: 'chain-unavailable', message: 'http://10.0.0.1' }), 500, 55001],
    [new Cancelled({ code: 'aborted', message: 'm' }), 400, 60004],
    [new Error('at /etc/secret'), 500, 999999],
  ];
  for (const [thrown, status, code] of cases) {
    secondary.before = () => {
      throw thrown;
    };
    const answer = await errorOf(await app.request(put(header())));
    t.deepEqual([answer.status, answer.code], [status, code]);
    t.notRegex(answer.message, /10\.0\.0\.1|secret/);
  }
});

test('a task above the limit gets "busy" and Retry-After', async (t) => {
  const { app, secondary } = start(t, { maxReceptions: 1 });
  const [begun, finish] = [gate(), gate()];
  secondary.before = () => {
    begun.open();
    return finish.opened;
  };
  const first = app.request(put(header()));
  await begun.opened;
  const { status, code } = await errorOf(await app.request(put(header())));
  t.deepEqual([status, code], [406, 60003]);
  finish.open();
  t.is((await first).status, 200);
});

test('a signer gets no more than its share of the receptions, and others continue', async (t) => {
  const { app, secondary } = start(t, { maxReceptions: 8 });
  const [begun, finish] = [gate(), gate()];
  let waiting = 0;
  secondary.before = () => {
    waiting += 1;
    if (waiting === 2) begun.open();
    return finish.opened;
  };
  const hanging = [app.request(put(header())), app.request(put(header()))];
  await begun.opened;
  t.is((await errorOf(await app.request(put(header())))).code, 60003);
  secondary.before = () => undefined;
  t.is((await app.request(put(header({}, Date.now(), signer(0x52))))).status, 200);
  finish.open();
  for (const one of hanging) t.is((await one).status, 200);
  t.is((await app.request(put(header()))).status, 200);
});

test('a provider without the HTTP wire accepts no pieces', async (t) => {
  const { app } = testGateway(t);
  const { status, code } = await errorOf(await app.request(put(header())));
  t.deepEqual([status, code], [400, 50008]);
});

test.serial(
  'recorded messages of a Go SP reach the receivers, and each finished column gets a signature',
  async (t) => {
    const { app, secondary } = start(t);
    const tasks = GO_RECEIVE_MESSAGES.map(
      ({ text }) => JSON.parse(text) as { task: { update_time: number } },
    );
    // The messages are valid for some minutes after they were sent; no other test runs meanwhile.
    const { now } = Date;
    Date.now = () => Math.max(...tasks.map(({ task }) => task.update_time)) * 1000;
    t.teardown(() => {
      Date.now = now;
    });
    for (const { text, answer } of GO_RECEIVE_MESSAGES) {
      const { piece_size = 0 } = JSON.parse(text) as { piece_size?: number };
      const response = await app.request(put(Buffer.from(text).toString('hex'), Buffer.alloc(piece_size)));
      t.is(response.status, 200);
      const signature = response.headers.get('X-Gnfd-Integrity-Hash-Signature');
      // In the form of the Go SP's own answer.
      if (answer === undefined) t.is(signature, null);
      else t.is(signature?.length, answer.length);
    }
    const finished = secondary.messages.filter(({ type }) => type === 'finish-column');
    t.is(finished.length, GO_RECEIVE_MESSAGES.filter(({ answer }) => answer !== undefined).length);
    t.is(secondary.messages.length, GO_RECEIVE_MESSAGES.length);
  },
);
