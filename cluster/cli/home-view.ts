import type { Calls } from '#runtime/home/calls';
import type { InspectPoint, JobFeed } from '#runtime/home/home';
import { natsCalls } from '#runtime/home/nats-calls';
import { natsInspectPoint } from '#runtime/home/nats-inspect-point';
import { natsJobFeed } from '#runtime/home/nats-job-feed';
import { connectNats } from '#runtime/nats/connect';
import { silentLogger } from '#runtime/telemetry/logger';
import type { NetworkSp } from './network.ts';

/** A view into one storage provider, through its own NATS account. */
export interface HomeView {
  readonly inspect: InspectPoint;
  readonly feed: JobFeed;
  readonly calls: Pick<Calls, 'call'>;
  close(): Promise<void>;
}

/** @throws Retryable `nats-unavailable`; Terminal `nats-refused` */
export async function openHomeView(sp: NetworkSp): Promise<HomeView> {
  const { url, user, password } = sp.nats;
  const connection = await connectNats({
    url,
    user,
    password,
    name: 'sealion command line',
    log: silentLogger,
  });
  return {
    inspect: natsInspectPoint(connection, silentLogger),
    feed: natsJobFeed(connection, silentLogger),
    calls: natsCalls(connection, silentLogger),
    close: () => connection.close(),
  };
}
