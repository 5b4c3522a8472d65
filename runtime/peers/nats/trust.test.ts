import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import test from 'ava';
import { patient } from '#runtime/nats/patient';
import { peersInbox } from '../../nats/accounts.ts';
import type { NatsServer } from '../../nats/server.ts';
import type { ApprovalAnswer, ApprovalAsk, InboundOffer } from '../peers.ts';
import {
  approveAll,
  approvedOffer,
  codecOf,
  digest,
  joinHome,
  joinPlane,
  keepCodes,
  makeSample,
  type Node,
  operatorKey,
  receiptFor,
  receive,
  replicate,
  startNode,
  startServer,
  until,
} from '../testing/peers.ts';
import type { ControlCodec } from './control-codec.ts';

/** SP 1 is a primary, SP 2 a secondary, and SP 3 says whatever it likes, as far as the server lets it. */
let server: NatsServer;
let primary: Node;
let secondary: Node;
let rogue: NatsConnection;
const heardBy1 = keepCodes();
const heardBy2 = keepCodes();
const stop = new AbortController();
const MIB = 1024 * 1024;

test.before(async () => {
  server = await startServer();
  primary = await startNode(server.url, 1, { log: heardBy1.log });
  secondary = await startNode(server.url, 2, { log: heardBy2.log });
  rogue = await joinPlane(server.url, 3);
  await approveAll(secondary, stop.signal);
});

test.after.always(async () => {
  stop.abort();
  await rogue?.close();
  await primary?.close();
  await secondary?.close();
  await server?.stop();
});

test.serial('a replayed ask is not answered again, and answers cannot be redirected', async (t) => {
  const asks = rogue.subscribe('approval.ask.*', { max: 1 });
  await rogue.flush();
  t.is((await collect(makeSample(1_000, 1_000, [2]).ask)).length, 1);
  let ask: Uint8Array = new Uint8Array();
  for await (const message of asks) ask = message.data;

  const [mine, again] = [`${peersInbox(3)}.mine`, `${peersInbox(1)}.again`];
  const asker = await joinPlane(server.url, 1);
  const inboxes = [rogue.subscribe(mine), asker.subscribe(again)];
  for (const reply of [mine, 'peer.4.offer.2.4711.0.0']) {
    rogue.publish('approval.ask.3', ask, { reply });
    t.deepEqual(await heardBy2.take(1), ['control-wrong-sender']);
    asker.publish('approval.ask.1', ask, { reply: reply.replace('.3.', '.4.') });
    t.deepEqual(await heardBy2.take(1), ['reply-misdirected']);
  }
  asker.publish('approval.ask.1', ask, { reply: again });
  t.deepEqual(await heardBy2.take(1), ['ask-repeated']);
  await Promise.all([secondary.peers.flush(), rogue.flush(), asker.flush()]);
  t.deepEqual(
    inboxes.map((inbox) => inbox.getReceived()),
    [0, 0],
  );
  await asker.close();
});

test.serial('an ask that is forged, changed, expired or of another chain is not answered', async (t) => {
  const { ask } = makeSample(1_000, 1_000, [2]);
  const honest = await sealAsk(codecOf(3), ask);
  const cases: [string, Uint8Array][] = [
    ['control-wrong-signature', await sealAsk(codecOf(3, { operatorKey: operatorKey(4) }), ask)],
    ['control-wrong-sender', await sealAsk(codecOf(1, { operatorKey: operatorKey(3) }), ask)],
    ['control-wrong-body', replaceIn(honest, 'photos', 'fotos')],
    ['control-wrong-sender', replaceIn(honest, '"from":3', '"from":1')],
    ['control-wrong-chain', await sealAsk(codecOf(3, { chainId: 'greenfield_1017-1' }), ask)],
    ['control-expired', await sealAsk(codecOf(3), ask, Date.now() - 1)],
    ['control-lives-too-long', await sealAsk(codecOf(3), ask, Date.now() + 86_400_000)],
    ['control-wrong-sender', await sealAsk(codecOf(99), ask)],
    ['control-malformed', Buffer.from('who are you?')],
  ];
  const inbox = rogue.subscribe(`${peersInbox(3)}.>`);
  for (const [code, message] of cases) {
    rogue.publish('approval.ask.3', message, { reply: `${peersInbox(3)}.${code}` });
    t.deepEqual(await heardBy2.take(1), [code]);
  }
  // The same, said honestly, is answered.
  rogue.publish('approval.ask.3', honest, { reply: `${peersInbox(3)}.honest` });
  for await (const answer of inbox) {
    t.regex(answer.subject, /honest$/);
    break;
  }
});

test.serial('an approval that is forged, not asked for, or given for another SP is rejected', async (t) => {
  const { ask } = makeSample(1_000, 1_000, [2, 3]);
  const about = { job: ask.job, gvgId: 0, redundancyIndex: 0 };
  const other = { ...about, job: { objectId: '1', version: 0 } };
  const grants = (redundancyIndex: number) => ({
    granted: [{ gvgId: 77, redundancyIndex }],
    refused: [],
  });
  const cases: [string | undefined, (re: string) => Promise<{ bytes: Uint8Array }>][] = [
    ['control-wrong-signature', (re) => sealAs(codecOf(2, { operatorKey: operatorKey(3) }), re)],
    ['approval-unasked', (re) => sealAs(codecOf(3), re)],
    ['approval-unasked', () => sealAs(codecOf(3), '00'.repeat(16), grants(1))],
    ['control-wrong-job', (re) => sealAs(codecOf(3), re, grants(1), { about: other })],
    ['control-wrong-receiver', (re) => sealAs(codecOf(3), re, grants(1), { to: 2 })],
    [undefined, (re) => sealAs(codecOf(3), re, grants(1))],
  ];
  const sealAs = (codec: ControlCodec, re: string, body = grants(0), change = {}) =>
    codec.seal({
      kind: 'approval',
      to: 1,
      about,
      expiresAt: Date.now() + 60_000,
      body: { re, ...body },
      ...change,
    });
  for (const [code, seal] of cases) {
    const answering = (async () => {
      for await (const message of rogue.subscribe('approval.ask.*', { max: 1 })) {
        message.respond((await seal(message.json<{ header: { nonce: string } }>().header.nonce)).bytes);
      }
    })();
    await rogue.flush();
    const givers: number[] = [];
    const enough = new AbortController();
    const asking = (async () => {
      for await (const { spId } of primary.client.ask(ask, { timeoutMs: 600_000, signal: enough.signal })) {
        givers.push(spId);
      }
    })();
    if (code) {
      await until(async () => givers.length > 0);
      t.deepEqual(await heardBy1.take(1), [code]);
      enough.abort();
      await t.throwsAsync(asking, { name: 'Cancelled' });
    } else await asking;
    await answering;
    t.deepEqual(givers.sort(), code ? [2] : [2, 3], code);
  }
});

test.serial('an offer that contradicts its subject or signer is removed for good', async (t) => {
  const { job } = makeSample(9 * MIB, 4 * MIB).ask;
  const good = {
    bucketName: 'photos',
    objectName: 'x',
    payloadSize: 9 * MIB,
    redundancy: 'EC' as const,
    maxSegmentSize: 4 * MIB,
    dataChunks: 4,
    parityChunks: 2,
    checksums: [],
    approval: '',
    token: '00'.repeat(16),
  };
  const subject = `peer.2.offer.3.${job.objectId}.0.0`;
  const draft = {
    kind: 'offer',
    to: 2,
    about: { job, gvgId: 77, redundancyIndex: 0 },
    expiresAt: Date.now() + 60_000,
    body: good,
  } as const;
  const seal = async (change: object, codec = codecOf(3)) =>
    (await codec.seal({ ...draft, ...change })).bytes;
  const cases: [string, Uint8Array][] = [
    ['control-wrong-signature', await seal({}, codecOf(3, { operatorKey: operatorKey(1) }))],
    ['control-wrong-sender', await seal({}, codecOf(1))],
    ['control-wrong-receiver', await seal({ to: 4 })],
    ['control-expired', await seal({ expiresAt: Date.now() - 1 })],
    ['offer-malformed', await seal({ about: { ...draft.about, redundancyIndex: 1 } })],
    ['offer-malformed', await seal({ about: { ...draft.about, job: { objectId: '9', version: 0 } } })],
    ['control-wrong-body', replaceIn(await seal({}), 'photos', 'fotos')],
    ['control-malformed', Buffer.from('take this')],
  ];
  const next = nextOffer();
  for (const [code, message] of cases) {
    await rogue.request(subject, message);
    t.deepEqual(await heardBy2.take(1), [code]);
  }
  await rogue.request('peer.2.offer.3.not.a.column', 'x');
  t.deepEqual(await heardBy2.take(1), ['offer-malformed']);
  // The mailbox is empty of them, and takes a good one.
  const sample = makeSample(9 * MIB, 4 * MIB);
  const offer = await approvedOffer(1, sample, 2);
  const receiving = next.then((held) => receive(held));
  await replicate(primary, offer, sample);
  t.is(digest(await receiving), digest(sample.pieces));
});

test.serial('an answer to an offer is accepted only from its receiver and for the same offer', async (t) => {
  const mailbox = await startNode(server.url, 4);
  const sample = makeSample(9 * MIB, 4 * MIB, [4, 2, 3, 5, 6, 7]);
  const offer = { ...(await approvedOffer(1, sample, 2)), to: 4, redundancyIndex: 0 };
  const opening = primary.client.open(offer, {});
  const { header, body } = await storedOffer(mailbox);
  const about = { job: offer.job, gvgId: 77, redundancyIndex: 0 };
  const accept = (change: object, codec = codecOf(4)) =>
    codec.seal({
      kind: 'accept',
      to: 1,
      about,
      expiresAt: Date.now() + 60_000,
      body: { re: header.nonce, firstMissing: 1, token: 'ab'.repeat(16) },
      ...change,
    });
  const answer = async (message: { bytes: Uint8Array }, timeout: number) =>
    mailbox.peers.request(`session.1.4.${body.token}.answer`, message.bytes, { timeout });
  const cases: [string, { bytes: Uint8Array }][] = [
    ['control-wrong-signature', await accept({}, codecOf(4, { operatorKey: operatorKey(3) }))],
    ['control-wrong-sender', await accept({}, codecOf(3))],
    ['control-wrong-group', await accept({ about: { ...about, gvgId: 78 } })],
    [
      'control-wrong-kind',
      { bytes: Buffer.from(JSON.stringify({ header, body, signature: '00'.repeat(65) })) },
    ],
    [
      'answer-misdirected',
      await accept({ body: { re: '00'.repeat(16), firstMissing: 1, token: body.token } }),
    ],
  ];
  for (const [code, message] of cases) {
    await t.throwsAsync(answer(message, 300), undefined, code);
    t.deepEqual(await heardBy1.take(1), [code]);
  }
  await answer(await accept({}), 60_000);
  const session = await opening;
  t.is(session.firstMissing, 1);
  session.close();
  await mailbox.close();
});

test.serial('a signed answer cannot make its recipient publish into the mailbox of another SP', async (t) => {
  const [rogueNode, victim] = [await startNode(server.url, 3), await startNode(server.url, 4)];
  const sample = makeSample(9 * MIB, 4 * MIB, [3, 4, 2, 5, 6, 7]);
  const opening = primary.client.open(await approvedOffer(1, sample, 3), {});
  const { header, body } = await storedOffer(rogueNode);
  const about = { job: sample.ask.job, gvgId: 77, redundancyIndex: 0 };
  const astray = `peer.4.receipt.1.${about.job.objectId}.0.1`;
  const refusal = await codecOf(3).seal({
    kind: 'refusal',
    to: 1,
    about,
    expiresAt: Date.now() + 60_000,
    body: { re: header.nonce, code: 'no', reason: 'no', again: false },
  });
  const subject = `session.1.3.${body.token}.answer`;
  rogue.publish(subject, refusal.bytes, { reply: astray });
  t.deepEqual(await heardBy1.take(1), ['reply-misdirected']);
  // The same, with the sender's own inbox, is heard.
  const refused = t.throwsAsync(opening, { code: 'offer-refused' });
  await rogue.request(subject, refusal.bytes);
  await refused;
  await primary.peers.flush();
  t.is((await (await jetstreamManager(patient(victim.home))).streams.info('RECEIPTS_1')).state.messages, 0);
  await rogueNode.close();
  await victim.close();
});

test.serial(
  'a signed done message cannot make its recipient publish into the mailbox of another SP',
  async (t) => {
    const victim = await startNode(server.url, 4);
    const sample = makeSample(9 * MIB, 4 * MIB, [2, 4, 3, 5, 6, 7]);
    const tapped = await joinPlane(server.url, 2);
    const dones = tapped.subscribe('session.2.1.*.done', { max: 1 });
    await tapped.flush();
    const held = nextOffer();
    const session = await (async () => {
      const opening = primary.client.open(await approvedOffer(1, sample, 2), {});
      const inbound = await (await held).accept(sample.pieces.length);
      void inbound.done().catch(() => undefined);
      return opening;
    })();
    const finishing = session.done(sample.checksums);
    finishing.catch(() => undefined);
    for await (const { subject, data } of dones) {
      primary.peers.publish(subject, data, { reply: `peer.4.receipt.2.${sample.ask.job.objectId}.0.1` });
      t.deepEqual(await heardBy2.take(1), ['reply-misdirected']);
    }
    await secondary.peers.flush();
    t.is((await (await jetstreamManager(patient(victim.home))).streams.info('RECEIPTS_2')).state.messages, 0);
    session.close();
    await (await held).refuse({ code: 'enough', reason: 'enough', again: false });
    await tapped.close();
    await victim.close();
  },
);

test.serial('answers of a home account across the planes reveal nothing of value', async (t) => {
  const [home, asker] = [await joinHome(server.url, 5), await joinPlane(server.url, 5)];
  const victim = await startNode(server.url, 4);
  const sample = makeSample(1_000, 1_000, [2, 5]);
  const ask = await sealAsk(codecOf(5), sample.ask);
  const answered = home.subscribe('peer.5.>', { callback: (_, message) => void message.respond(ask) });
  await home.flush();
  // It reaches what the asker could have said itself, yet its answers would go astray, so it gets none …
  asker.publish('peer.5.offer.5.1.0.0', 'x', { reply: 'approval.ask.5' });
  t.deepEqual(await heardBy2.take(1), ['reply-misdirected']);
  // … and no mailbox, not even in its own name.
  for (const reply of ['peer.4.receipt.2.1.0.0', 'peer.4.receipt.5.1.0.0'])
    asker.publish('peer.5.offer.5.1.0.0', 'x', { reply });
  await asker.flush();
  await until(() => answered.getReceived() === 3);
  await Promise.all([home.flush(), victim.home.flush()]);
  t.is((await (await jetstreamManager(patient(victim.home))).streams.info('RECEIPTS_2')).state.messages, 0);
  await Promise.all([home.close(), asker.close(), victim.close()]);
});

test.serial('a receipt that is forged, or answers another offer, is rejected', async (t) => {
  const sample = makeSample(9 * MIB, 4 * MIB);
  const offer = await approvedOffer(1, sample, 2);
  const about = { job: offer.job, gvgId: 77, redundancyIndex: 0 };
  const { integrityHash, approvalSignature, blsSignature } = receiptFor(offer, '00'.repeat(32));
  const wrong = { re: '00'.repeat(16), integrityHash, approvalSignature, blsSignature };
  const post = async (codec: ControlCodec) => {
    const expiresAt = Date.now() + 60_000;
    const { bytes } = await codec.seal({ kind: 'receipt', to: 1, about, expiresAt, body: wrong });
    await secondary.peers.request(`peer.1.receipt.2.${offer.job.objectId}.0.0`, bytes);
  };
  const answering = nextOffer().then(async (held) => {
    const session = await held.accept(3);
    await session.done();
    await post(codecOf(2, { operatorKey: operatorKey(3) }));
    t.deepEqual(await heardBy1.take(1), ['control-wrong-signature']);
    await post(codecOf(2));
    await held.receipt(receiptFor(offer, digest(sample.pieces)));
  });
  const receipt = await replicate(primary, offer, sample);
  await answering;
  t.is(receipt.integrityHash, digest(sample.pieces));
});

async function nextOffer(): Promise<InboundOffer> {
  const { signal } = new AbortController();
  for await (const held of secondary.host.offers({ limit: 10, signal })) return held;
  throw new Error('no offer');
}

/** The offer that rests in the mailbox of a node that takes none. */
async function storedOffer(node: Node) {
  const manager = await jetstreamManager(patient(node.home));
  await until(async () => (await manager.streams.info('OFFERS_1')).state.messages === 1);
  const message = await manager.streams.getMessage('OFFERS_1', { seq: 1 });
  return message?.json() as { header: { nonce: string }; body: { token: string } };
}

async function collect(ask: ApprovalAsk, timeoutMs = 60_000): Promise<ApprovalAnswer[]> {
  const answers: ApprovalAnswer[] = [];
  for await (const answer of primary.client.ask(ask, { timeoutMs })) answers.push(answer);
  return answers.sort((a, b) => a.spId - b.spId);
}

async function sealAsk(
  codec: ControlCodec,
  ask: ApprovalAsk,
  expiresAt = Date.now() + 60_000,
): Promise<Uint8Array> {
  const { job, primarySpId: _, ...terms } = ask;
  const about = { job, gvgId: 0, redundancyIndex: 0 };
  const groups = terms.groups.map((group) => ({ ...group, secondarySpIds: [...group.secondarySpIds] }));
  return (await codec.seal({ kind: 'ask', to: 0, about, expiresAt, body: { ...terms, groups } })).bytes;
}

function replaceIn(message: Uint8Array, what: string, by: string): Uint8Array {
  const text = Buffer.from(message).toString();
  if (!text.includes(what)) throw new Error(`no ${what}`);
  return Buffer.from(text.replace(what, by));
}
