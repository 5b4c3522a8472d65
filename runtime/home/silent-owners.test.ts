import test from 'ava';
import { Retryable } from '#protocols/errors';
import type { Directory, OwnerAnswer } from './home.ts';
import { directoryWithoutSilent } from './silent-owners.ts';

const job = { objectId: '1', version: 0 };
const answer: OwnerAnswer = { node: 'sp-1@a', state: 'UPLOAD_OBJECT_DOING', since: 1 };

function directory(find: Directory['find']): Directory {
  return { own: () => Promise.reject(new Error('not asked')), find };
}

function silent(): Promise<never> {
  return Promise.reject(new Retryable({ code: 'owner-silent', message: 'silent' }));
}

test('an owner that is silent for long enough is passed over, and not before', async (t) => {
  await t.throwsAsync(directoryWithoutSilent(directory(silent), 60_000).find(job), { code: 'owner-silent' });
  t.is(await directoryWithoutSilent(directory(silent), 0).find(job), undefined);
});

test('an owner that answers is found, and other failures are passed on', async (t) => {
  t.deepEqual(
    await directoryWithoutSilent(
      directory(async () => answer),
      0,
    ).find(job),
    answer,
  );
  const failing = directory(() => Promise.reject(new Retryable({ code: 'nats-unavailable', message: 'x' })));
  await t.throwsAsync(directoryWithoutSilent(failing, 0).find(job), { code: 'nats-unavailable' });
});
