import { testedServers } from '../../nats/testing/servers.ts';
import { contractOnJetStream } from './testing/contract.ts';

for (const server of await testedServers()) contractOnJetStream(server, 1);
