/** `npm run devnet`: runs a devnet until Ctrl-C, and says how to use it. */
import { relative } from 'node:path';
import { cwd } from 'node:process';
import { Command, InvalidArgumentError, Option } from 'commander';
import { createLogger } from '#runtime/telemetry/logger';
import { rolesApart } from '../config/roles.ts';
import { runProgram } from '../program.ts';
import { type Devnet, startDevnet } from './devnet.ts';
import type { DevnetFileSp } from './directory.ts';

interface Flags {
  readonly sps: number;
  readonly nodes: number;
  readonly rolesApart?: true;
  readonly nats: number;
  readonly postgres?: true;
  readonly directory: string;
  readonly keep?: true;
  readonly segmentSize?: number;
  readonly blockTime: number;
  readonly accounts: number;
  readonly journal: 'level' | 'jetstream';
  readonly chainPort?: number;
  readonly natsPort?: number;
  readonly gatewayPort?: number;
  readonly adminPort?: number;
}

const flags = new Command('sealion devnet')
  .description('Run a nats-server, a chain and storage providers on this machine until Ctrl-C.')
  .option('--sps <n>', 'number of storage providers, at least 7', wholeNumber, 7)
  .option('--nodes <n>', 'number of nodes of the first provider, behind one endpoint', wholeNumber, 1)
  .option('--roles-apart', 'give each of these nodes one or two roles instead of all')
  .option('--nats <n>', 'number of nats-servers: 1, or 3 that replicate everything', wholeNumber, 1)
  .option('--postgres', 'keep their SQL DB in PostgreSQL (always so for several nodes)')
  .option('--directory <path>', 'folder for the state of the network', '.devnet')
  .option('--keep', 'keep the state of the last run instead of starting fresh')
  .option('--segment-size <bytes>', 'segment size (default: 16 MiB)', wholeNumber)
  .option('--block-time <ms>', 'time between blocks of the chain', wholeNumber, 1_000)
  .option('--accounts <n>', 'number of funded accounts for clients', wholeNumber, 3)
  .addOption(
    new Option('--journal <adapter>', 'where the providers keep the record of their jobs')
      .choices(['level', 'jetstream'])
      .default('level'),
  )
  .option('--chain-port <port>', 'port of the chain (default for all ports: a free one)', wholeNumber)
  .option('--nats-port <port>', 'port of nats-server', wholeNumber)
  .option(
    '--gateway-port <port>',
    "port of the first provider's gateway; the others get the next ones",
    wholeNumber,
  )
  .option(
    '--admin-port <port>',
    "port of the first provider's admin server; the others get the next ones",
    wholeNumber,
  )
  .parse()
  .opts<Flags>();
const log = createLogger({ level: 'warn' });

await runProgram(async (signal) => {
  const begin = performance.now();
  say(`Starting a devnet of ${flags.sps} storage providers in ${flags.directory} …\n`);
  const { chainPort, natsPort, gatewayPort, adminPort, segmentSize } = flags;
  const devnet = await startDevnet({
    directory: flags.directory,
    keep: flags.keep === true,
    sps: flags.sps,
    nodes: flags.nodes,
    ...(flags.rolesApart && { roles: rolesApart(flags.nodes) }),
    natsServers: flags.nats,
    postgres: flags.postgres === true,
    accounts: flags.accounts,
    blockTimeMs: flags.blockTime,
    ...(segmentSize !== undefined && { segmentSize }),
    ports: {
      ...(chainPort !== undefined && { chain: chainPort }),
      ...(natsPort !== undefined && { nats: natsPort }),
      ...(gatewayPort !== undefined && { gateway: gatewayPort }),
      ...(adminPort !== undefined && { admin: adminPort }),
    },
    node: { journal: { adapter: flags.journal } },
    log,
    signal,
  });
  say(summary(devnet, performance.now() - begin));
  return {
    async stop() {
      say('Stopping the devnet …\n');
      await devnet.stop();
      say(
        `Stopped. Its state is in ${flags.directory}/state until the next start; --keep continues with it.\n`,
      );
    },
  };
}, log);

function wholeNumber(text: string): number {
  if (/^[0-9]{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number.');
}

function say(text: string): void {
  process.stdout.write(text);
}

function summary({ file, path }: Devnet, ms: number): string {
  const [account] = file.accounts;
  return `
Ready after ${(ms / 1_000).toFixed(1)} s. Press Ctrl-C to stop.

  chain    ${file.chain.rpc}  ${file.chain.chainId}
${file.sps.map(describeSp).join('\n')}
  token    for operators, in ${file.adminTokens?.act}
  account  ${account?.address}
  its key  ${account?.privateKey}

${path.startsWith(`${cwd()}/`) ? relative('.', path) : path} has the same for programs. In another terminal, for example:

  npx sealion put README.md my-bucket/readme
  npx sealion status my-bucket/readme
  npx sealion tree --sp 1
`;
}

function describeSp({ id, endpoint, admin, nodes = [] }: DevnetFileSp): string {
  const line = `  sp ${id}     ${endpoint}  (for operators: ${admin})`;
  if (nodes.length < 2) return line;
  return [
    line,
    ...nodes.map((node) => `   node ${node.name}  ${node.roles.join(', ')}  (${node.admin})`),
  ].join('\n');
}
