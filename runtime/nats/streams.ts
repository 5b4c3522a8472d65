import { isDeepStrictEqual } from 'node:util';
import {
  type ConsumerConfig,
  type ConsumerInfo,
  JetStreamApiError,
  type JetStreamManager,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream';
import { type SealionError, Terminal } from '#protocols/errors';
import { isJetStreamError, JetStreamCode, natsError } from './errors.ts';

export type StreamSettings = Partial<StreamConfig> & Pick<StreamConfig, 'name' | 'subjects'>;
export type ConsumerSettings = Partial<ConsumerConfig> & Required<Pick<ConsumerConfig, 'durable_name'>>;

/**
 * Creates a stream, or updates an existing one to these settings. Settings that are not named are kept.
 * @throws Terminal `stream-unfit` when the server does not support a setting, or ignores one silently, as older ones do
 */
export async function ensureStream(manager: JetStreamManager, settings: StreamSettings): Promise<StreamInfo> {
  const { name } = settings;
  const existing = await manager.streams.info(name).catch((error: unknown) => {
    if (isJetStreamError(error, JetStreamCode.STREAM_NOT_FOUND)) return undefined;
    throw natsError(error, `looking up the stream ${name}`);
  });
  if (existing && differing(settings, existing.config).length === 0) return existing;
  const info = await (existing
    ? manager.streams.update(name, { ...existing.config, ...settings })
    : manager.streams.add(settings)
  ).catch((error: unknown) => {
    throw setupError(error, `stream ${name}`);
  });
  return checked(info, differing(settings, info.config), `stream ${name}`);
}

/**
 * As `ensureStream`, for a durable consumer. nats-server up to 2.9 updates an existing consumer when it is created
 * again; later versions refuse that and require an explicit update.
 * @throws Terminal `stream-unfit`
 */
export async function ensureConsumer(
  manager: JetStreamManager,
  stream: string,
  settings: ConsumerSettings,
): Promise<ConsumerInfo> {
  const what = `consumer ${settings.durable_name} of ${stream}`;
  const info = await manager.consumers
    .add(stream, settings)
    .catch((error: unknown) => {
      if (!isJetStreamError(error, JetStreamCode.CONSUMER_EXISTS)) throw error;
      return manager.consumers.update(stream, settings.durable_name, settings);
    })
    .catch((error: unknown) => {
      throw setupError(error, what);
    });
  return checked(info, differing(settings, info.config), what);
}

function differing(wanted: object, got: object): string[] {
  const actual = new Map<string, unknown>(Object.entries(got));
  return Object.entries(wanted)
    .filter(([key, value]) => !isDeepStrictEqual(actual.get(key), value))
    .map(([key]) => key);
}

function checked<T>(info: T, differences: readonly string[], what: string): T {
  if (differences.length === 0) return info;
  throw new Terminal({
    code: 'stream-unfit',
    message: `The nats-server did not apply ${differences.join(', ')} of the ${what}.`,
    advice: 'Use a newer nats-server, or remove what exists under that name.',
  });
}

/**
 * The error for a failure to set something up in JetStream: a refusal is for an operator, unless the server is only
 * unavailable or short of resources (status 503).
 */
export function setupError(error: unknown, what: string): SealionError {
  const ours = natsError(error, `setting up the ${what}`);
  if (!(error instanceof JetStreamApiError) || error.status === 503 || ours instanceof Terminal) return ours;
  // A server that has just started serves a stream only when it has recovered it; a lost stream is created again.
  if (isJetStreamError(error, JetStreamCode.STREAM_NOT_FOUND)) return ours;
  return new Terminal({
    code: 'stream-unfit',
    message: ours.message,
    advice: 'Change the settings, or what exists under that name with the nats command line.',
    cause: error,
  });
}
