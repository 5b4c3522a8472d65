import type { Calls } from '../../runtime/home/calls.ts';
import type { InspectPoint, JobFeed } from '../../runtime/home/home.ts';
import { natsCalls } from '../../runtime/home/nats-calls.ts';
import { natsInspectPoint } from '../../runtime/home/nats-inspect-point.ts';
import { natsJobFeed } from '../../runtime/home/nats-job-feed.ts';
import { connectNats } from '../../runtime/nats/connect.ts';
import { silentLogger } from '../../runtime/telemetry/logger.ts';
import type { NetworkSp } from './network.ts';

/** A look into one storage provider, through its own NATS account. */
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
