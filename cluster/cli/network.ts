import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { Terminal } from '../../protocols/errors.ts';
import type { DevnetFile } from '../devnet/directory.ts';

const NetworkFile = z.object({
  chain: z.object({ rpc: z.url(), chainId: z.string() }),
  sps: z
    .array(
      z.object({
        id: z.number().int(),
        operatorAddress: z.string(),
        endpoint: z.url(),
        gvgFamilyId: z.number().int(),
        admin: z.url(),
        nats: z.object({ url: z.string(), user: z.string(), password: z.string(), bucket: z.string() }),
      }),
    )
    .min(1),
  accounts: z.array(z.object({ address: z.string(), privateKey: z.string() })).min(1),
});

/** What the command line knows of a network: what `.devnet/devnet.json` says (design §8). */
export type Network = Omit<DevnetFile, 'pid'>;
export type NetworkSp = Network['sps'][number];

/** Where `npm run devnet` writes it. */
export const DEVNET_FILE = '.devnet/devnet.json';

/** @throws Terminal `no-network`, `bad-network` */
export async function readNetwork(path: string): Promise<Network> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new Terminal({
      code: 'no-network',
      message: `There is no network description at ${path}.`,
      advice: 'Start a devnet with "npm run devnet", or name the file with --network.',
      cause,
    });
  }
  try {
    return NetworkFile.parse(JSON.parse(text));
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
    throw new Terminal({
      code: 'bad-network',
      message: `${path} does not describe a network: ${why}`,
      advice: 'Start the devnet again; it writes the file anew.',
    });
  }
}

/** @throws Terminal `unknown-sp` */
export function spOf(network: Network, id: number | undefined): NetworkSp {
  const sp = id === undefined ? network.sps[0] : network.sps.find((one) => one.id === id);
  if (sp) return sp;
  throw new Terminal({
    code: 'unknown-sp',
    message: `The network has no storage provider ${id}.`,
    advice: `Give one of ${network.sps.map((one) => one.id).join(', ')}.`,
  });
}

/** The provider that holds a bucket: the primary of its family. */
export function primaryOf(network: Network, familyId: number): NetworkSp {
  const sp = network.sps.find((one) => one.gvgFamilyId === familyId);
  if (sp) return sp;
  throw new Terminal({
    code: 'unknown-sp',
    message: `The network names no provider for family ${familyId}.`,
  });
}
