import test, { type ExecutionContext } from 'ava';
import { type AnnouncerOptions, announcer } from '#actors/chain/announcer';
import { signer } from '#actors/chain/signer';
import { signerLine } from '#actors/chain/signer-line';
import type { Announced, Announcement, NewObject } from '#actors/messages';
import { SUPERVISION } from '#actors/supervision';
import { except } from '#actors/testing/primary';
import { Retryable, Terminal } from '#protocols/errors';
import { createActorSystem } from '#runtime/actors/system';
import type { Chain } from '#runtime/chain/chain';
import { natsCalls } from '#runtime/home/nats-calls';
import { openRoles } from '#runtime/jobs/nats-roles';
import { noRoles } from '#runtime/jobs/no-roles';
import type { Roles } from '#runtime/jobs/roles';
import { connectNats } from '#runtime/nats/connect';
import { startNatsServer } from '#runtime/nats/server';
import { silentLogger as log } from '#runtime/telemetry/logger';
import { DevnetDecisions } from '../client/devnet-decisions.ts';
import { type ChainFixture, createBucket, seal, startChain } from '../devnet/chain/testing.ts';
import { createWaitingObject, keysOf } from './offers.ts';
import { until } from './until.ts';

interface Agency {
  readonly fixture: ChainFixture;
  announce(announcement: Announcement): Promise<Announced>;
  /** Announces at another node of the SP, which does not hold the role. */
  announceElsewhere(announcement: Announcement): Promise<Announced>;
  /** Takes the role from the announcer, as a suspension of its node would. */
  loseRole(): void;
  /** What the announcer's children are doing. */
  doing(): readonly string[];
}

/** The announcer of SP 1 with its own signer, before a chain on which it is the primary of `bucket-1`. */
async function start(
  t: ExecutionContext,
  change: (chain: Chain) => Chain = (chain) => chain,
  inclusionTimeoutMs = 20_000,
  over: Partial<AnnouncerOptions> = {},
): Promise<Agency> {
  const fixture = await startChain(t, { storage: { maxSegmentSize: 1024 } });
  await createBucket(fixture, 'bucket-1', 1);
  const server = await startNatsServer();
  const connection = await connectNats({ url: server.url, name: 'test', log });
  const system = createActorSystem({ name: 'test', supervision: SUPERVISION, log });
  t.teardown(async () => {
    await system.stop();
    await connection.close();
    await server.stop();
  });
  const { operator: key } = keysOf(fixture, 1);
  const chain = change(fixture.chain);
  const roles = await openRoles({ connection, log });
  const calls = natsCalls(connection, log);
  const line = signerLine(calls, key.address);
  const signing = system.spawn('signer', signer({ key, chain, roles, line }));
  const timing = { inclusionTimeoutMs, chainPollMs: 20, rebroadcastMs: 200 };
  const options = { chain, signer: signing, timing, roles, calls, ...over };
  let lost = new AbortController();
  const losing: Roles = {
    async hold(role, waiting) {
      const holding = await roles.hold(role, waiting);
      lost = new AbortController();
      return { ...holding, signal: AbortSignal.any([holding.signal, lost.signal]) };
    },
  };
  const ref = system.spawn('announcer', announcer({ ...options, roles: losing }));
  const tree = (name: string) => system.tree().children.find((child) => child.name === name);
  await until('the signer holds its role', async () => tree('signer')?.activity?.doing.startsWith('signing'));
  await until('the announcer holds its role', async () =>
    tree('announcer')?.activity?.doing.startsWith('announcing'),
  );
  // As a node without the role `keeper`.
  const elsewhere = system.spawn('announcer-elsewhere', announcer({ ...options, roles: noRoles }));
  const announceAt = (node: typeof ref) => (announcement: Announcement) =>
    node.ask<Announced>((reply) => ({ type: 'announce', announcement, reply }));
  return {
    fixture,
    announce: announceAt(ref),
    announceElsewhere: announceAt(elsewhere),
    loseRole: () => lost.abort(),
    doing: () => tree('announcer')?.children.map(({ activity }) => activity?.doing ?? '') ?? [],
  };
}

function newObject({ fixture }: Agency, over: Partial<NewObject> = {}): NewObject {
  return {
    kind: 'create-object',
    creator: fixture.user.address,
    bucketName: 'bucket-1',
    objectName: 'letter',
    payloadSize: 3_000,
    contentType: 'text/plain',
    visibility: 'PUBLIC_READ',
    ...over,
  };
}

test('an object is created for an account, without checksums, and the transaction is named', async (t) => {
  const agency = await start(t);
  const { chain, user } = agency.fixture;
  const { onChain, transactionHash } = await agency.announce(newObject(agency));
  t.like(onChain.object, {
    creator: user.address,
    owner: user.address,
    payloadSize: 3_000,
    contentType: 'text/plain',
    visibility: 'PUBLIC_READ',
    redundancy: 'EC',
    status: 'CREATED',
    checksums: [],
  });
  t.is((await chain.transaction(transactionHash ?? ''))?.code, 0);
  t.is((await chain.object('bucket-1', 'letter'))?.object.id, onChain.object.id);
});

test('a folder is sealed as soon as it is created', async (t) => {
  const agency = await start(t);
  const folder = newObject(agency, { objectName: 'letters/', payloadSize: 0 });
  t.is((await agency.announce(folder)).onChain.object.status, 'SEALED');
});

test('two requests for the same object create it once, and both get it', async (t) => {
  const agency = await start(t);
  const both = await Promise.all([1, 2].map(() => agency.announce(newObject(agency))));
  t.is(new Set(both.map(({ onChain }) => onChain.object.id)).size, 1);
  t.is(both.filter(({ transactionHash }) => transactionHash !== undefined).length, 1);
});

test('a node that does not hold the role hands announcements and their failures on', async (t) => {
  const agency = await start(t);
  const announced = await agency.announce(newObject(agency));
  const again = await agency.announceElsewhere(newObject(agency));
  t.deepEqual(again.onChain, announced.onChain);
  t.is(again.transactionHash, undefined);
});

test('a node that has lost the role asks for it again, and serves the others when it has it', async (t) => {
  const agency = await start(t);
  agency.loseRole();
  const announce = () => agency.announceElsewhere(newObject(agency)).catch(() => undefined);
  t.is((await until('it announces for another node', announce)).onChain.object.status, 'CREATED');
});

test('an update of another size or account is not mistaken for the requested one', async (t) => {
  const agency = await start(t);
  const { fixture } = agency;
  const object = await createWaitingObject(fixture, 'bucket-1');
  await seal(fixture, object);
  const { bucketName, objectName } = object;
  const content = { bucketName, objectName, payloadSize: 2_000, contentType: '' };
  await fixture.user.updateObject({ ...content, payloadSize: 1_000, checksums: object.checksums });
  const updater = fixture.user.address;
  const refusal = { instanceOf: Terminal, code: 'announced-otherwise' };
  const error = await t.throwsAsync(agency.announce({ kind: 'update-object', updater, ...content }), refusal);
  t.is((error as Terminal).gatewayCode, 50010);
  const other = newObject(agency, { objectName, creator: fixture.stranger.address });
  await t.throwsAsync(agency.announce(other), { instanceOf: Terminal });
});

test('many concurrent requests are all created', async (t) => {
  const agency = await start(t);
  const names = Array.from({ length: 20 }, (_, i) => `letter-${i}`);
  const all = await Promise.all(
    names.map((objectName) => agency.announce(newObject(agency, { objectName }))),
  );
  t.is(new Set(all.map(({ onChain }) => onChain.object.id)).size, 20);
  await until('nothing is left to do', async () => agency.doing().length === 0);
});

test('requests above the limit are asked to retry', async (t) => {
  const agency = await start(t, undefined, undefined, { maxOpen: 2 });
  const all = await Promise.allSettled(
    ['a', 'b', 'c'].map((objectName) => agency.announce(newObject(agency, { objectName }))),
  );
  t.deepEqual(
    all.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected'],
  );
  t.like(all[2], { reason: { kind: 'retryable', gatewayCode: 60003 } });
  await until('there is room again', () => agency.announce(newObject(agency, { objectName: 'c' })));
});

test('an account has one limit of announcements, however many nodes its requests reach', async (t) => {
  const agency = await start(t, undefined, undefined, { perAccountPerHour: 2 });
  const [first, second, third] = ['a', 'b', 'c'].map((objectName) => newObject(agency, { objectName }));
  await agency.announce(first as NewObject);
  await agency.announceElsewhere(second as NewObject);
  const error = await t.throwsAsync(agency.announce(third as NewObject), { instanceOf: Retryable });
  t.like(error, { code: 'too-many-announcements', gatewayCode: 60003 });
  t.true((error.retryAfterMs ?? 0) > 1_000_000);
  const stranger = newObject(agency, { objectName: 'd', creator: agency.fixture.stranger.address });
  const other = await t.throwsAsync(agency.announce(stranger));
  t.not((other as Terminal).code, 'too-many-announcements', 'another account has its own');
});

test('after others have used the operator key, the sequence is read again', async (t) => {
  const agency = await start(t);
  await agency.announce(newObject(agency, { objectName: 'first' }));
  const operator = agency.fixture.sp(1, 'operator');
  const primarySpAddress = operator.address;
  await operator.createBucket({ bucketName: 'of-the-operator', primarySpAddress, familyId: 1 });
  t.truthy((await agency.announce(newObject(agency, { objectName: 'second' }))).transactionHash);
});

test('announcements continue after governance raises their gas', async (t) => {
  const agency = await start(t);
  const { chain, rpc, sp } = agency.fixture;
  await agency.announce(newObject(agency, { objectName: 'first' }));
  await new DevnetDecisions(rpc).setMessageGas('/greenfield.storage.MsgDelegateCreateObject', 9_000);
  t.truthy((await agency.announce(newObject(agency, { objectName: 'second' }))).transactionHash);
  t.is((await chain.account(sp(1, 'operator').address))?.sequence, 2, 'none was paid in vain');
});

test('new content is announced for a sealed object', async (t) => {
  const agency = await start(t);
  const { fixture } = agency;
  const { job, objectName, checksums } = await createWaitingObject(fixture, 'bucket-1');
  await fixture.sp(1, 'seal').send({
    typeUrl: '/greenfield.storage.MsgSealObject',
    value: {
      operator: fixture.sp(1, 'seal').address,
      bucketName: 'bucket-1',
      objectName,
      globalVirtualGroupId: 1,
      secondarySpBlsAggSignatures: fixture.aggregate([2, 3, 4, 5, 6, 7], 1, job.objectId, checksums),
    },
  });
  const { onChain } = await agency.announce({
    kind: 'update-object',
    updater: fixture.user.address,
    bucketName: 'bucket-1',
    objectName,
    payloadSize: 5_000,
    contentType: 'text/html',
  });
  t.true(onChain.object.isUpdating);
  t.like(onChain.update, {
    updater: fixture.user.address,
    payloadSize: 5_000,
    contentType: 'text/html',
    checksums: [],
    version: 1,
  });
});

test('a refusal of the chain is reported, and the next request is served', async (t) => {
  const agency = await start(t);
  const { stranger } = agency.fixture;
  const forbidden = agency.announce(newObject(agency, { creator: stranger.address }));
  const error = await t.throwsAsync(forbidden, { instanceOf: Terminal });
  t.is(error.gatewayCode, 120020);
  t.regex(error.message, /Access denied/);
  const update: Announcement = { ...newObject(agency), kind: 'update-object', updater: stranger.address };
  const missing = await t.throwsAsync(agency.announce(update), { instanceOf: Terminal });
  t.is(missing.gatewayCode, 120019);
  await t.notThrowsAsync(agency.announce(newObject(agency)));
});

/** A node of the chain that does not show objects until it is set to have caught up. */
function laggingNode(): { readonly change: (chain: Chain) => Chain; caughtUp: () => boolean; looks: number } {
  const node = {
    looks: 0,
    caughtUp: () => false,
    change: (chain: Chain) =>
      except(chain, {
        object: async (...about: Parameters<Chain['object']>) => {
          node.looks += 1;
          return node.caughtUp() ? chain.object(...about) : undefined;
        },
      }),
  };
  return node;
}

test('a lagging chain node is waited for', async (t) => {
  const node = laggingNode();
  node.caughtUp = () => node.looks > 20;
  const agency = await start(t, node.change);
  t.is((await agency.announce(newObject(agency))).onChain.object.status, 'CREATED');
  t.is(node.looks, 21);
});

test('an announcement that the chain does not show in time is reported, and found by the next request', async (t) => {
  const node = laggingNode();
  const agency = await start(t, node.change, 500);
  const error = await t.throwsAsync(agency.announce(newObject(agency)), { instanceOf: Retryable });
  t.is(error.code, 'creation-timeout');
  await until('the object is there', () => agency.fixture.chain.object('bucket-1', 'letter'));
  node.caughtUp = () => true;
  t.is((await agency.announce(newObject(agency))).transactionHash, undefined);
});
