import test from 'ava';
import { Retryable } from '#protocols/errors';
import type { OwnerAnswer } from '#runtime/home/home';
import { historyOf } from '#runtime/records/records.contract';
import type { Gatherer } from './gather.ts';
import { type ProviderOptions, providerView } from './provider.ts';

const JOB = { objectId: '4711', version: 0 };

/** A view of a provider that knows one job. */
function view(find: () => Promise<OwnerAnswer | undefined>) {
  const history = historyOf(JOB, 1_000).map((event, i) => ({ sequence: i + 1, event }));
  return providerView({
    journal: { read: async () => history },
    gatherer: { trees: async () => ({ trees: [], silent: [] }) } as unknown as Gatherer,
    directory: { find },
  } as unknown as ProviderOptions);
}

test('a job is shown with its owner', async (t) => {
  const owner = { node: 'sp-1@a', state: 'SEAL_OBJECT_DOING', since: 5 } as const;
  t.deepEqual((await view(async () => owner).job(JOB)).owner, owner);
});

test('a job whose owner is silent, or looked for without an end, is shown without it', async (t) => {
  const silent = new Retryable({ code: 'owner-silent', message: 'It does not answer.' });
  for (const find of [() => Promise.reject(silent), () => new Promise<never>(() => {})]) {
    const shown = await view(find).job(JOB);
    t.is(shown.job, '4711.0');
    t.is(shown.owner, undefined);
  }
});
