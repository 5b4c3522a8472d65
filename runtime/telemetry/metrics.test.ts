import test from 'ava';
import { Metrics } from './metrics.ts';

/** The value of one line of the text. */
function sample(text: string, line: string): number | undefined {
  const found = text.split('\n').find((each) => each.startsWith(`${line} `));
  return found === undefined ? undefined : Number(found.slice(line.length));
}

async function read(metrics: Metrics): Promise<string> {
  return (await metrics.text()).body;
}

test('what is counted is in the text for Prometheus, with its labels', async (t) => {
  const metrics = new Metrics();
  metrics.uploads.inc();
  metrics.clientBytes.of('in').inc(300);
  metrics.errors.of('gateway', 'no-permission').inc();
  metrics.errors.of('gateway', 'no-permission').inc(2);
  const text = await read(metrics);
  t.is(sample(text, 'sealion_uploads_total'), 1);
  t.is(sample(text, 'sealion_client_bytes_total{direction="in"}'), 300);
  t.is(sample(text, 'sealion_errors_total{where="gateway",code="no-permission"}'), 3);
  t.regex(text, /^# TYPE sealion_uploads_total counter$/m);
});

test('two nodes of one process count apart, and share the metrics of the process', async (t) => {
  const [a, b] = [new Metrics(), new Metrics()];
  a.uploads.inc();
  t.is(sample(await read(b), 'sealion_uploads_total'), 0);
  for (const name of [
    'process_resident_memory_bytes',
    'nodejs_eventloop_lag_p99_seconds',
    'process_start_time_seconds',
  ]) {
    t.is(typeof sample(await read(b), name), 'number', name);
  }
});

test('a duration is counted in every bucket that it fits into', async (t) => {
  const metrics = new Metrics();
  const seconds = metrics.registry.distributions('sealion_test_seconds', 'A test.', ['phase'], [0.1, 1]);
  for (const value of [0.05, 0.1, 0.5, 20]) seconds.of('seal').observe(value);
  const text = await read(metrics);
  t.is(sample(text, 'sealion_test_seconds_bucket{phase="seal",le="0.1"}'), 2);
  t.is(sample(text, 'sealion_test_seconds_bucket{phase="seal",le="1"}'), 3);
  t.is(sample(text, 'sealion_test_seconds_bucket{phase="seal",le="+Inf"}'), 4);
  t.is(sample(text, 'sealion_test_seconds_count{phase="seal"}'), 4);
  t.is(sample(text, 'sealion_test_seconds_sum{phase="seal"}'), 20.65);
});

test('beyond its limit a family counts under other, whatever strangers send', async (t) => {
  const metrics = new Metrics();
  const byCode = metrics.registry.counts('sealion_test_total', 'A test.', ['where', 'code'], 3);
  for (let i = 0; i < 10; i += 1) byCode.of('here', `code-${i}`).inc();
  t.is([...byCode].length, 4);
  t.is(sample(await read(metrics), 'sealion_test_total{where="other",code="other"}'), 7);
});

test('a state is read when it is asked for, and left out while it is unknown or cannot be read', async (t) => {
  const metrics = new Metrics();
  let waiting: number | undefined;
  metrics.registry.read('sealion_waiting', 'A test.', () => waiting);
  metrics.registry.read('sealion_broken', 'A test.', () => Promise.reject(new Error('no')));
  metrics.registry.readAll('sealion_torn', 'A test.', ['of'], () => {
    throw new Error('no');
  });
  metrics.registry.readAll('sealion_free_bytes', 'A test.', ['of'], () => [[['a'], 1]] as const);
  t.is(sample(await read(metrics), 'sealion_waiting'), undefined);
  waiting = 7;
  const text = await read(metrics);
  t.is(sample(text, 'sealion_waiting'), 7);
  t.is(sample(text, 'sealion_broken'), undefined);
  t.is(sample(text, 'sealion_free_bytes{of="a"}'), 1);
});

test('a label is escaped, so that it cannot end its line', async (t) => {
  const metrics = new Metrics();
  metrics.errors.of('gateway', 'a"} 1\nfake 2').inc();
  t.false((await read(metrics)).split('\n').some((line) => line.startsWith('fake')));
});

test('totals add up the errors of all places by code', (t) => {
  const metrics = new Metrics();
  metrics.uploads.inc();
  metrics.clientBytes.of('out').inc(5);
  metrics.jobsEnded.of('sealed').inc(2);
  metrics.errors.of('gateway', 'gateway-busy').inc();
  metrics.errors.of('actor', 'gateway-busy').inc();
  t.deepEqual(metrics.totals(), {
    uploads: 1,
    bytesIn: 0,
    bytesOut: 5,
    seals: 2,
    errors: { 'gateway-busy': 2 },
  });
  t.is(metrics.lastHour().uploads.at(-1), 1);
});
