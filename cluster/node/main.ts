/** `sealion node`: runs one node of a storage provider. Prints its ports as one line of JSON when it is ready. */
import { Command } from 'commander';

const { config } = new Command('sealion node')
  .description('Run one node of a storage provider until SIGINT or SIGTERM.')
  .option(
    '--config <file>',
    'configuration of the node; see cluster/deploy/sealion.example.yaml',
    'sealion.yaml',
  )
  .parse()
  .opts<{ readonly config: string }>();

// Later, so that --help does not wait for the whole node.
const { runNode } = await import('./run-node.ts');
await runNode(config);
