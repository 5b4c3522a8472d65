import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { Terminal } from '#protocols/errors';
import { ROLES } from '../config/roles.ts';
import { type DevnetFile, isAlive } from '../devnet/directory.ts';

const NetworkFile = z.object({
  /** Process id of a devnet. Without it, whether the network is running is unknown. */
  pid: z.number().int().optional(),
  chain: z.object({ rpc: z.url(), chainId: z.string() }),
  sps: z
    .array(
      z.object({
        id: z.number().int(),
        operatorAddress: z.string(),
        endpoint: z.url(),
        gvgFamilyId: z.number().int(),
        admin: z.url(),
        /** Without it nobody can tell which nodes are silent. */
        nodes: z
          .array(
            z.object({
              name: z.string(),
              roles: z.array(z.enum(ROLES)),
              admin: z.url(),
              gateway: z.url().exactOptional(),
            }),
          )
          .exactOptional(),
        nats: z.object({ url: z.string(), user: z.string(), password: z.string(), bucket: z.string() }),
      }),
    )
    .min(1),
  adminTokens: z.object({ view: z.string(), act: z.string() }).exactOptional(),
  accounts: z.array(z.object({ address: z.string(), privateKey: z.string() })).min(1),
});

/** The description of a network for the command line, as in `.devnet/devnet.json` (ARCHITECTURE.md#the-devnet). */
export type Network = Omit<DevnetFile, 'pid'>;
export type NetworkSp = Network['sps'][number];

const START =
  'Start a devnet with "npm run devnet", or name the description of another network with --network.';

/** @throws Terminal `no-network`, `bad-network`, `network-down` */
export async function readNetwork(path: string): Promise<Network> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new Terminal({
      code: 'no-network',
      message: `There is no network description at ${path}.`,
      advice: START,
      cause,
    });
  }
  const { pid, ...network } = parseNetwork(text, path);
  if (pid === undefined || isAlive(pid)) return network;
  throw new Terminal({
    code: 'network-down',
    message: `The devnet that ${path} describes has ended (process ${pid}).`,
    advice: START,
  });
}

function parseNetwork(text: string, path: string): z.infer<typeof NetworkFile> {
  try {
    return NetworkFile.parse(JSON.parse(text));
  } catch (cause) {
    const issues = cause instanceof z.ZodError ? cause.issues : [];
    const why = issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
    throw new Terminal({
      code: 'bad-network',
      message: `${path} does not describe a network${why && ` (${why})`}.`,
      advice: START,
      cause,
    });
  }
}

/** @throws Terminal `unknown-sp` */
export function spOf(network: Network, id: number | undefined): NetworkSp {
  const sp = id === undefined ? network.sps[0] : network.sps.find((one) => one.id === id);
  if (sp) return sp;
  throw new Terminal({
    code: 'unknown-sp',
    message: `There is no storage provider ${id} in the network.`,
    advice: `Give one of ${network.sps.map((one) => one.id).join(', ')}.`,
  });
}

/** The primary of a bucket: the provider of its family. */
export function primaryOf(network: Network, familyId: number): NetworkSp {
  const sp = network.sps.find((one) => one.gvgFamilyId === familyId);
  if (sp) return sp;
  throw new Terminal({
    code: 'unknown-sp',
    message: `The network description has no provider for family ${familyId}.`,
  });
}
