import { setTimeout as sleep } from 'node:timers/promises';
import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import test from 'ava';
import { connect, headers, type NatsConnection } from 'nats';
import { Terminal } from '#protocols/errors';
import { accountsConfig, homeUser, peersInbox, peersUser, type SpAccount } from './accounts.ts';
import { patient } from './patient.ts';
import { type NatsServer, startNatsServer } from './server.ts';

const SPS: readonly SpAccount[] = [1, 2, 3].map((spId) => ({
  spId,
  homePassword: `home-password-of-${spId}`,
  peersPassword: `peers-password-of-${spId}`,
}));

let server: NatsServer;
const open: NatsConnection[] = [];

test.before(async () => {
  server = await startNatsServer({ config: accountsConfig(SPS) });
});

test.after.always(async () => {
  await Promise.all(open.map((connection) => connection.close()));
  await server?.stop();
});

test.serial('the nodes of an SP have a JetStream of their own', async (t) => {
  const [one, two] = [await home(1), await home(2)];
  const manager = await jetstreamManager(patient(one));
  await manager.streams.add({ name: 'SECRET', subjects: ['secret'] });
  await jetstream(patient(one)).publish('secret', 'x');

  await t.throwsAsync((await jetstreamManager(patient(two))).streams.info('SECRET'), {
    message: /not found/,
  });
  t.is((await manager.streams.info('SECRET')).state.messages, 1);
});

test.serial('an offer is stored in the receiver’s own stream, with PubAck and deduplication', async (t) => {
  const { mailbox, inbox } = await openMailbox(1);
  const sender = await peer(2);

  const header = headers();
  header.set('Nats-Msg-Id', 'once');
  const post = () => sender.request('peer.1.offer.2.77.0.3', 'offer', { timeout: 60_000, headers: header });
  t.like((await post()).json(), { stream: mailbox });
  t.like((await post()).json(), { stream: mailbox, duplicate: true });
  t.is((await inbox('peer.1.offer.2.77.0.3')).string(), 'offer');
});

test.serial('an SP cannot send as another', async (t) => {
  const { count } = await openMailbox(1);
  const forger = await peer(2);
  const before = await count();
  for (const subject of [
    'peer.1.offer.3.77.0.3',
    'peer.1.receipt.3.77.0.3',
    'session.1.3.token',
    'recovery.1.3',
    'peer.1',
  ]) {
    await t.throwsAsync(request(forger, subject, 'forged'), undefined, subject);
  }
  t.is(await count(), before);
});

test.serial('an SP cannot direct the PubAck of a mailbox into another mailbox', async (t) => {
  await openMailbox(1);
  const { count } = await openMailbox(3);
  const forger = await peer(2);
  const before = await count();
  forger.publish('peer.1.offer.2.1.0.0', 'x', { reply: 'peer.3.offer.9.777.0.0' });
  forger.publish('peer.1.offer.2.1.0.1', 'x', { reply: 'peer.3.offer.2.777.0.0' });
  // The later offers of the same connection arrive, so the two before them have been processed.
  await request(forger, 'peer.1.offer.2.1.0.2', 'x', 60_000);
  await request(forger, 'peer.3.offer.2.778.0.0', 'x', 60_000);
  t.is(await count(), before + 1);
});

test.serial('an SP can read neither the mailbox nor the messages of others', async (t) => {
  await openMailbox(1);
  const spy = await peer(3);
  for (const subject of [
    'peer.1.>',
    'peer.>',
    'session.1.>',
    'recovery.1.*',
    'recovery.>',
    '>',
    '_INBOX.1.>',
    '_INBOX.>',
    '_R_.>',
  ]) {
    const subscription = spy.subscribe(subject);
    await t.throwsAsync(
      (async () => {
        for await (const _ of subscription);
      })(),
      { message: /Permissions Violation/ },
      subject,
    );
  }
});

test.serial('the JetStream API cannot be reached from the peers plane', async (t) => {
  const { mailbox } = await openMailbox(1);
  const spy = await peer(2);
  for (const subject of [
    `$JS.API.STREAM.INFO.${mailbox}`,
    `$JS.API.DIRECT.GET.${mailbox}.peer.1.offer.2.77.0.3`,
  ]) {
    await t.throwsAsync(request(spy, subject, ''), undefined, subject);
  }
});

test.serial('a listed SP answers an ask once, and only the asker receives it', async (t) => {
  const [asker, answerer] = [await peer(1), await peer(2)];
  const asks = answerer.subscribe('approval.ask.*', {
    callback: (_, ask) => {
      ask.respond('yes');
      ask.respond('and again');
    },
  });
  await answerer.flush();
  const inbox = asker.subscribe(`${peersInbox(1)}.answers`);
  asker.publish('approval.ask.1', 'who?', { reply: `${peersInbox(1)}.answers` });
  const answers: string[] = [];
  const collecting = (async () => {
    for await (const answer of inbox) answers.push(answer.string());
  })();
  await until(async () => answers[0]);
  await answerer.flush();
  await asker.flush();
  await inbox.drain();
  await collecting;
  t.deepEqual(answers, ['yes']);
  asks.unsubscribe();
});

test.serial('the session subjects of a sender reach the receiver they name', async (t) => {
  const [sender, receiver] = [await peer(1), await peer(2)];
  const session = receiver.subscribe('session.2.1.token.>', { max: 1 });
  await receiver.flush();
  sender.publish('session.2.1.token.0', 'piece');
  for await (const message of session) t.is(message.string(), 'piece');
});

test.serial('a fetch reaches the SP it names, carries its sender, and is answered', async (t) => {
  const [asker, holder] = [await peer(1), await peer(2)];
  const fetches = holder.subscribe('recovery.2.*', { max: 1 });
  await holder.flush();
  const answered = asker.request('recovery.2.1', 'a piece, please', { timeout: 60_000 });
  for await (const message of fetches) {
    t.is(message.subject, 'recovery.2.1');
    t.true(message.respond('a piece'));
  }
  t.is((await answered).string(), 'a piece');
});

test.serial('no SP can delete the streams of another, by any route', async (t) => {
  const [victim, rogue, member] = [await home(1), await home(2), await peer(2)];
  const manager = await jetstreamManager(patient(victim));
  const there = () => manager.streams.info('KEPT');
  await manager.streams.add({ name: 'KEPT', subjects: ['kept'] });
  const known = /HOME_1_[0-9a-f]{32}/.exec(accountsConfig(SPS))?.[0];
  for (const account of ['HOME_1', known]) {
    const subject = `$JS.API.ACCOUNT.PURGE.${account}`;
    await t.throwsAsync(request(rogue, subject, ''), { message: /Permissions Violation/ });
    await t.throwsAsync(request(member, subject, ''), { message: /Permissions Violation/ });
  }
  for (const subject of ['$JS.API.SERVER.REMOVE', '$JS.API.ACCOUNT.STREAM.MOVE.HOME_1.KEPT']) {
    await t.throwsAsync(request(rogue, subject, ''), { message: /Permissions Violation/ });
  }
  // The permissions of the rogue do not apply to what the server itself sends; but nobody can name an account.
  const purge = '$JS.API.ACCOUNT.PURGE.HOME_1';
  const own = await jetstreamManager(patient(rogue));
  await own.streams.add({ name: 'OWN', subjects: ['own'] });
  rogue.publish('own', '', { reply: purge });
  rogue.publish('$JS.API.STREAM.INFO.OWN', '', { reply: purge });
  member.publish('peer.2.offer.2.1.0.0', '', { reply: purge });
  const push = { durable_name: 'push', ack_policy: AckPolicy.None, deliver_subject: purge };
  await own.consumers.add('OWN', push).catch(() => undefined);
  await own.streams
    .add({ name: 'ECHO', subjects: ['echo'], republish: { src: 'echo', dest: purge } })
    .then(() => rogue.publish('echo', ''))
    .catch(() => undefined);
  await Promise.all([rogue.flush(), member.flush()]);
  await own.streams.info('OWN');
  await sleep(200);
  t.is((await there()).config.name, 'KEPT');
});

test.serial('ids and passwords that are not valid in the configuration are rejected', (t) => {
  const sp = SPS[0] as SpAccount;
  t.throws(() => accountsConfig([sp, sp]), { instanceOf: Terminal, code: 'bad-nats-accounts' });
  t.throws(() => accountsConfig([{ ...sp, spId: 0 }]), { code: 'bad-nats-accounts' });
  t.throws(() => accountsConfig([{ ...sp, homePassword: 'short' }]), { code: 'bad-nats-accounts' });
  t.throws(() => accountsConfig([{ ...sp, peersPassword: 'quote"-and-much-more' }]), {
    code: 'bad-nats-accounts',
  });
});

function home(spId: number): Promise<NatsConnection> {
  return enter(homeUser(spId), `home-password-of-${spId}`);
}

function peer(spId: number): Promise<NatsConnection> {
  return enter(peersUser(spId), `peers-password-of-${spId}`, peersInbox(spId));
}

async function enter(user: string, pass: string, inboxPrefix = '_INBOX'): Promise<NatsConnection> {
  const connection = await connect({ servers: server.url, user, pass, inboxPrefix });
  open.push(connection);
  return connection;
}

async function openMailbox(spId: number) {
  const manager = await jetstreamManager(patient(await home(spId)));
  const mailbox = 'MAILBOX';
  await manager.streams.add({ name: mailbox, subjects: [`peer.${spId}.offer.>`, `peer.${spId}.receipt.>`] });
  return {
    mailbox,
    inbox: async (subject: string) => {
      const message = await manager.streams.getMessage(mailbox, { last_by_subj: subject });
      if (!message) throw new Error(`nothing under ${subject}`);
      return message;
    },
    count: async () => (await manager.streams.info(mailbox)).state.messages,
  };
}

async function request(
  connection: NatsConnection,
  subject: string,
  body: string,
  timeout = 1_000,
): Promise<{ readonly stream: string }> {
  const answer = await connection.request(subject, body, { timeout });
  return answer.json();
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 3_000; tries++) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(20);
  }
  throw new Error('waited too long');
}
