import type { ExecutionContext } from 'ava';
import type { Announced, Announcement, AnnouncerMessage } from '#actors/messages';
import type { ObjectInfo } from '#protocols/greenfield/types';
import { createActorSystem } from '#runtime/actors/system';
import type { Ref } from '#runtime/actors/types';
import { silentLogger } from '#runtime/telemetry/logger';
import { object, type TestChain } from './chain.ts';

/** A stand-in for the announcer: changes the test's chain as the blocks would, and records its requests. */
export interface TestAnnouncer {
  readonly announcer: Ref<AnnouncerMessage>;
  readonly announcements: Announcement[];
  /** Runs before the chain is changed; an error that it throws is the answer. */
  before: (announcement: Announcement) => void | Promise<void>;
  /** When set, another transaction comes first, and its object differs in these fields. */
  quicker?: Partial<ObjectInfo>;
}

/** Id of an object that the announcer has created. */
export const CREATED_ID = '5000';
/** Time of the block in which it was created, unix seconds. */
export const CREATED_AT = 3000;
export const TX_HASH = 'AB'.repeat(32);

export function testAnnouncer(t: ExecutionContext, chain: TestChain): TestAnnouncer {
  const row = { retryable: 'resume', terminal: 'resume', cancelled: 'resume' } as const;
  const restarts = { limit: 0, withinMs: 1, beyond: 'stop' } as const;
  const announcerRow = { ...row, restarts, backoff: { minMs: 0, maxMs: 0 } };
  const system = createActorSystem({
    name: 'test',
    supervision: { announcer: announcerRow },
    log: silentLogger,
  });
  t.teardown(() => system.stop());
  const state = { announcements: [] as Announcement[], before: () => {} };
  const announcer = system.spawn('announcer', {
    kind: 'announcer',
    start: () => undefined,
    receive: async (_state: undefined, { announcement, reply }: AnnouncerMessage) => {
      testAnnouncer.announcements.push(announcement);
      try {
        await testAnnouncer.before(announcement);
        reply.resolve(put(announcement, chain, testAnnouncer.quicker));
      } catch (error) {
        reply.reject(error);
      }
      return undefined;
    },
  });
  const testAnnouncer: TestAnnouncer = Object.assign(state, { announcer });
  return testAnnouncer;
}

function put(announcement: Announcement, chain: TestChain, quicker?: Partial<ObjectInfo>): Announced {
  const { bucketName, objectName, payloadSize, contentType } = announcement;
  const isCreation = announcement.kind === 'create-object';
  const before = chain.objects.find(({ object }) => object.objectName === objectName);
  const content = { payloadSize, contentType, checksums: [] };
  const onChain = isCreation
    ? {
        object: object({
          ...content,
          ...{ bucketName, objectName, id: CREATED_ID, createdAt: CREATED_AT },
          creator: announcement.creator,
          visibility: announcement.visibility,
          status: payloadSize === 0 ? 'SEALED' : 'CREATED',
          ...quicker,
        }),
      }
    : {
        object: object({ ...before?.object, isUpdating: true }),
        update: { ...content, updater: announcement.updater, updatedAt: CREATED_AT, version: 1 },
      };
  chain.objects = [...chain.objects.filter((other) => other !== before), onChain];
  return { onChain, ...(!quicker && { transactionHash: TX_HASH }) };
}
