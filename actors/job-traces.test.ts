import test from 'ava';
import type { JobContext } from '#protocols/job/context';
import type { JobEvent } from '#protocols/job/events';
import { noSpan, type Traces } from '#runtime/telemetry/traces';
import { jobTraces } from './job-traces.ts';

const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

function watched() {
  const spans: { name: string; parent: string | undefined; at?: number; end?: object }[] = [];
  const traces: Traces = {
    on: true,
    root: () => noSpan(),
    child(name, parent, { at }) {
      const span: (typeof spans)[number] = { name, parent, ...(at !== undefined && { at }) };
      spans.push(span);
      return { ...noSpan(), end: (end) => void Object.assign(span, { end }) };
    },
  };
  return { spans, watch: jobTraces(traces) };
}

const context = (facts: Partial<JobContext>) =>
  ({ id: { objectId: '1', version: 0 }, changedAt: 1_000, trace: TRACE, ...facts }) as JobContext;
const event = { type: 'SealCompleted', at: 3_000 } as JobEvent;

test('a state becomes a span when it is left, whoever began it', (t) => {
  const { spans, watch } = watched();
  watch({
    before: context({ state: 'SEAL_OBJECT_DOING' }),
    event,
    after: context({ state: 'SEAL_OBJECT_DONE', changedAt: 3_000 }),
  });
  t.deepEqual(spans, [
    { name: 'SEAL_OBJECT_DOING', parent: TRACE, at: 1_000, end: { error: undefined, at: 3_000 } },
  ]);
});

test('a failed state is a span with the code of its error', (t) => {
  const { spans, watch } = watched();
  const failure = { code: 'seal-timeout', message: '', attempt: 1, resume: 'SEAL_OBJECT_DOING' } as const;
  watch({
    before: context({ state: 'SEAL_OBJECT_DOING' }),
    event,
    after: context({ state: 'SEAL_OBJECT_ERROR', failure }),
  });
  t.like(spans[0]?.end, { error: 'seal-timeout' });
});

test('a job that is not traced has no spans', (t) => {
  const { spans, watch } = watched();
  const { trace: _, ...untraced } = context({ state: 'SEAL_OBJECT_DOING' });
  watch({ before: untraced, event, after: context({ state: 'SEAL_OBJECT_DONE' }) });
  t.deepEqual(spans, []);
});
